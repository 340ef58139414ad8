import type { Readable } from 'svelte/store';
import type { RealtimeApi } from './api.ts';
import type { ConnectionStatus } from './status.ts';

/** A short-lived access token, kept in memory only. */
export type AccessToken = {
  token: string;
  /** When it expires: milliseconds since 1970, by the server's clock. */
  expiresAt: number;
  /**
   * The server's clock when it answered, in milliseconds since 1970. With it, a device whose clock
   * is wrong still refreshes in time, and latencies are measured against the server's time.
   */
  now?: number;
};

/** What a connection needs. */
export type ConnectionOptions = {
  /** Supabase's URL, such as `http://127.0.0.1:54321`. */
  url: string;
  /** The publishable key. */
  apikey: string;
  /** Whose connection it is; the server decides by the token, this only names the own topic. */
  userId: string;
  /** Asks our own server for the session's token; `null` when nobody is signed in (any more). */
  getToken(): Promise<AccessToken | null>;
  /** The tRPC client. */
  api: RealtimeApi;
  /** Called for each step that a developer may want to see. */
  log?(message: string, details?: unknown): void;
};

/** What the connection indicator shows. */
export type ConnectionState = {
  status: ConnectionStatus;
  /** When the last event was applied: milliseconds since 1970, device clock. */
  lastEventAt: number | undefined;
  /** From commit in the database to applied here, of the last event that came over the socket. */
  latencyMs: number | undefined;
};

/** Counted since the connection was made. */
export type Metrics = {
  eventsApplied: number;
  duplicatesDropped: number;
  /** Holes in the numbers that were found and filled. */
  gapsRecovered: number;
  /** Times that the socket came back after a loss. */
  reconnects: number;
  snapshotsLoaded: number;
};

/** One per tab: owns the socket, the token and the topics. A store of {@link ConnectionState}. */
export type Connection = Readable<ConnectionState> & {
  readonly userId: string;
  readonly api: RealtimeApi;
  /** Opens the socket; also happens by itself with the first topic. */
  connect(): void;
  /** Closes everything for good (sign-out, page left). */
  close(): void;
  metrics(): Metrics;
};

/** Makes the connection of a tab. Nothing is opened before `connect()` or the first subscriber. */
export function createConnection(_options: ConnectionOptions): Connection {
  throw new Error('not built yet');
}
