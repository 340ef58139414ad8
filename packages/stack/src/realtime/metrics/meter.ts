/** What a server counts while it works: plain numbers, so that counting costs nothing. */

/** Why something was not delivered, or not even read. */
export const DROP_REASONS = {
  malformedFrame: 'a frame that is none of ours',
  deniedBroadcast: 'a broadcast without the right to send it',
  largePayload: 'a broadcast that is too large',
  floodedChannel: 'a message for a channel that has too many waiting',
  overRate: 'a message of the database while there are too many events',
  slowReader: 'a socket that did not read, closed with all that waited for it',
} as const;
export type DropReason = keyof typeof DROP_REASONS;

/** Counts since the server was started; they only grow. */
export class Meter {
  connectionsOpened = 0;
  handshakesRefused = 0;
  joins = 0;
  joinsRefused = 0;
  /** Of clients, over their sockets: broadcasts, and presence calls. */
  eventsFromClients = 0;
  /** Broadcasts over HTTP. */
  eventsFromHttp = 0;
  /** Deliveries: one message to a thousand sockets is a thousand. */
  broadcastsOut = 0;
  presenceDiffsOut = 0;
  changesOut = 0;
  /** What frames carry, as they came and went. */
  bytesIn = 0;
  bytesOut = 0;
  /** Questions to the policies on `realtime.messages`. */
  topicChecks = 0;
  /** Rows judged by row level security, once per distinct set of claims. */
  rowChecks = 0;
  readonly drops: Record<DropReason, number> = {
    malformedFrame: 0,
    deniedBroadcast: 0,
    largePayload: 0,
    floodedChannel: 0,
    overRate: 0,
    slowReader: 0,
  };
}

/** What a server is doing and has done. Counts are since its start. */
export type RealtimeMetrics = Readonly<
  Omit<Meter, 'drops'> & {
    drops: Readonly<Record<DropReason, number>>;
    /** Open sockets, the channels on them, and the topics that these share. */
    connections: number;
    channels: number;
    topics: number;
    /** Bytes of the write-ahead log that were written and not yet read; null while it isn't read. */
    logLagBytes: number | null;
  }
>;
