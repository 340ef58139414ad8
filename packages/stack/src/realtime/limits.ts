/** What one server lets its clients do. Every number may be `Infinity`. */
export type RealtimeLimits = {
  /** Open sockets on this server; the next handshake is answered with 429. */
  connections: number;
  /** Whether public channels are refused: those where no policy is asked. */
  privateOnly: boolean;
  /** Channels of one socket. */
  channelsPerConnection: number;
  /** Joins per second over all sockets. Whoever exceeds it is cut. */
  joinsPerSecond: number;
  /**
   * Broadcasts per second over all channels, each delivery of one counted too. While they are too
   * many, who hears one loses the channel.
   */
  eventsPerSecond: number;
  /** The same for presence. */
  presenceEventsPerSecond: number;
  /** Calls of track and untrack by one channel in 30 seconds. */
  presenceCallsPer30Seconds: number;
  /** Steps in which the rates above are averaged; the last twelve count. */
  rateTickMs: number;
  /** Between two new tokens of one channel; what comes sooner waits. The first is never held. */
  tokenRefreshIntervalMs: number;
  /** Largest broadcast and presence payload, in bytes. */
  payloadBytes: number;
  /** Largest frame that a client may send, in bytes; a larger one ends its socket with 1009. */
  frameBytes: number;
  /** Largest change that postgres_changes delivers whole, in bytes; of a larger one only short values. */
  changeBytes: number;
  /** A socket that says nothing for this long is closed (a half-open one ends here). */
  idleTimeoutMs: number;
  /** A socket that was on no channel for this long is closed. */
  emptyTimeoutMs: number;
  /** How often idle sockets and expired tokens are looked for. */
  sweepIntervalMs: number;
  /** Bytes that may wait for a slow reader before its socket is closed with 1013. */
  bufferedBytes: number;
  /** Wait before a refused join is answered, so that a client which retries at once is slowed down. */
  joinErrorDelayMs: number;
  /** How long a join waits for the replication stream before it fails. */
  replicationWaitMs: number;
};

/**
 * The defaults are those of a self-hosted Supabase Realtime, so that an app meets here what it
 * would meet there. Except two that protect nobody on a machine of one's own: how many sockets, and
 * the five seconds that upstream lets a refused join wait.
 */
export const defaultLimits: RealtimeLimits = {
  connections: 100_000,
  privateOnly: false,
  channelsPerConnection: 100,
  joinsPerSecond: 100,
  eventsPerSecond: 100,
  presenceEventsPerSecond: 1_000,
  presenceCallsPer30Seconds: 5,
  rateTickMs: 5_000,
  tokenRefreshIntervalMs: 10_000,
  payloadBytes: 3_000_500,
  frameBytes: 5_000_000,
  changeBytes: 1_048_576,
  idleTimeoutMs: 60_000,
  emptyTimeoutMs: 600_000,
  sweepIntervalMs: 1_000,
  bufferedBytes: 4_194_304,
  joinErrorDelayMs: 0,
  replicationWaitMs: 5_000,
};

/** Everything as a self-hosted Supabase has it, those two included. */
export const upstreamLimits: RealtimeLimits = {
  ...defaultLimits,
  connections: 200,
  joinErrorDelayMs: 5_000,
};

/** For whoever serves people from this machine: no rates, since there are no neighbours to protect. */
export const machineLimits: RealtimeLimits = {
  ...defaultLimits,
  joinsPerSecond: Infinity,
  eventsPerSecond: Infinity,
  presenceEventsPerSecond: Infinity,
  presenceCallsPer30Seconds: Infinity,
  tokenRefreshIntervalMs: 0,
};
