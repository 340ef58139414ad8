import type { Policies } from './authorization/policies.ts';
import type { KeptBroadcasts } from './broadcast/persist.ts';
import type { Replay } from './broadcast/replay.ts';
import type { Topics } from './channel/topic.ts';
import type { RealtimeLogEntry } from './index.ts';
import type { RealtimeLimits } from './limits.ts';
import type { Meter } from './metrics/meter.ts';
import type { PostgresChanges } from './postgres-changes/postgres-changes.ts';
import type { Rate } from './rate.ts';
import type { TokenVerifier } from './token/verifier.ts';

/** What handling a message may need; one per server. */
export type Services = {
  readonly limits: RealtimeLimits;
  readonly meter: Meter;
  readonly topics: Topics;
  readonly tokens: TokenVerifier;
  readonly policies: Policies;
  readonly changes: PostgresChanges;
  readonly replay: Replay;
  readonly kept: KeptBroadcasts;
  readonly joins: Rate;
  /** Broadcasts that came and went. */
  readonly events: Rate;
  readonly presenceEvents: Rate;
  /** Whether the write-ahead log is being read. */
  isStreaming(): boolean;
  /** Resolves while it is being read. */
  streaming(): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  log(entry: RealtimeLogEntry): void;
};
