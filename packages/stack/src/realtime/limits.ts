/** What one server lets its clients do. Every number may be `Infinity`. */
export type RealtimeLimits = {
  /** Open sockets on this server; the next handshake is answered with 429. */
  connections: number;
  /** Channels of one socket. */
  channelsPerConnection: number;
  /** Joins per second over all sockets, as an average of the last minute. Whoever exceeds it is cut. */
  joinsPerSecond: number;
  /** Messages that clients send, per second and channel, as an average of the last minute. */
  eventsPerSecond: number;
  /** Presence events per second and topic, as an average of the last minute. */
  presenceEventsPerSecond: number;
  /** Calls of track and untrack by one channel in 30 seconds. */
  presenceCallsPer30Seconds: number;
  /** Largest broadcast and presence payload, in bytes. */
  payloadBytes: number;
  /** Largest frame that a client may send, in bytes; a larger one ends its socket with 1009. */
  frameBytes: number;
  /** Largest change that postgres_changes delivers whole, in bytes; of a larger one only short values. */
  changeBytes: number;
  /** A socket that says nothing for this long is closed (a half-open one ends here). */
  idleTimeoutMs: number;
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
 * The defaults of a server that has a machine to itself: no rate is limited, since the hosted
 * plans' rates protect neighbours, and a refusal is answered at once, since a person waits for it.
 */
export const defaultLimits: RealtimeLimits = {
  connections: 100_000,
  channelsPerConnection: 100,
  joinsPerSecond: Infinity,
  eventsPerSecond: Infinity,
  presenceEventsPerSecond: Infinity,
  presenceCallsPer30Seconds: Infinity,
  payloadBytes: 3_000_500,
  frameBytes: 5_000_000,
  changeBytes: 1_048_576,
  idleTimeoutMs: 60_000,
  sweepIntervalMs: 1_000,
  bufferedBytes: 4_194_304,
  joinErrorDelayMs: 0,
  replicationWaitMs: 5_000,
};

/** What a self-hosted Supabase Realtime limits by itself, for whoever wants to meet it here first. */
export const upstreamLimits: RealtimeLimits = {
  ...defaultLimits,
  connections: 200,
  joinsPerSecond: 100,
  eventsPerSecond: 100,
  presenceEventsPerSecond: 1_000,
  presenceCallsPer30Seconds: 5,
  joinErrorDelayMs: 5_000,
};
