/**
 * A Realtime server that speaks the protocol of Supabase Realtime to an unmodified supabase-js:
 * broadcast, presence and postgres_changes, read from the write-ahead log of one database.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KeySet } from '../keys/key-set.ts';
import type { RealtimeLimits } from './limits.ts';
import type { RealtimeMetrics } from './metrics/meter.ts';
import { openRealtimeServer } from './server.ts';

export type { RealtimeMetrics } from './metrics/meter.ts';
export { machineLimits, upstreamLimits, type RealtimeLimits } from './limits.ts';

/** What the server tells its operator. `error` means that something was lost or refused by a fault. */
export type RealtimeLogEntry = {
  level: 'info' | 'warning' | 'error';
  /** One word that names the part: `replication`, `join`, `socket`… */
  part: string;
  message: string;
};

export type RealtimeServerOptions = {
  /** Connection string of the one database served, as a superuser with the right to replicate. */
  adminUrl: string;
  /** Secret of HS256 access tokens. */
  jwtSecret: string;
  /** Public keys of asymmetric access tokens, chosen by `kid`. */
  jwks?: KeySet | undefined;
  /** Stands for the role `anon`. */
  publishableKey: string;
  /** Stands for the role `service_role`. */
  secretKey: string;
  limits?: Partial<RealtimeLimits>;
  onLog?(entry: RealtimeLogEntry): void;
};

export type RealtimeServer = {
  /** Answers GET upgrade on /realtime/v1/websocket and /socket/websocket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Answers POST /realtime/v1/api/broadcast and the like, and GET /realtime/v1/metrics. Returns
   * false if the path isn't ours.
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** What it is doing and has done. Asks the database how far behind the log it is. */
  metrics(): Promise<RealtimeMetrics>;
  /** Closes every socket with 1012, drops the replication slot and ends the database connections. */
  close(): Promise<void>;
};

/** Starts serving; resolves once the write-ahead log is being read, so nothing after it is missed. */
export function startRealtimeServer(options: RealtimeServerOptions): Promise<RealtimeServer> {
  return openRealtimeServer(options);
}
