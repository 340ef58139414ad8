/** What a client asks for when it joins. Pure: a bad part is replaced by its default, as upstream. */
import { isRecord } from '../codec/client-message.ts';

/** One `postgres_changes` binding, as the client wrote it. */
export type BindingParams = Readonly<Record<string, unknown>>;

export type JoinConfig = {
  isPrivate: boolean;
  broadcast: { ack: boolean; self: boolean; replicationReady: boolean; replay: unknown };
  presence: { isEnabled: boolean; key: string | null };
  postgresChanges: BindingParams[];
  /** How long the answer may wait for the bindings to be live; null if it doesn't. */
  changesWaitMs: number | null;
  /**
   * A client of before 2022: it sends no `config`, its topic names one binding, and changes come as
   * events of their own.
   */
  isLegacy: boolean;
  /** The token the client gave with the join, or null for the socket's own key. */
  accessToken: string | null;
};

const DEFAULT_CHANGES_WAIT_MS = 15_000;
const MAX_CHANGES_WAIT_MS = 20_000;

/** Reads the payload of `phx_join`; the topic comes without its prefix. */
export function parseJoin(payload: unknown, subTopic: string): JoinConfig {
  const params = isRecord(payload) ? payload : {};
  const config = section(params, 'config');
  const broadcast = section(config, 'broadcast');
  const presence = section(config, 'presence');
  const isLegacy = !('config' in params);
  const given = Array.isArray(config.postgres_changes) ? config.postgres_changes : [];
  return {
    isPrivate: flag(config.private),
    broadcast: {
      ack: flag(broadcast.ack),
      self: flag(broadcast.self),
      replicationReady: flag(broadcast.replication_ready),
      replay: broadcast.replay ?? null,
    },
    presence: { isEnabled: flag(presence.enabled), key: presenceKey(presence.key) },
    postgresChanges: isLegacy ? [legacyBinding(subTopic)] : given.filter(isRecord),
    changesWaitMs: changesWaitMs(section(config, 'postgres_changes_options')),
    isLegacy,
    accessToken: accessToken(params),
  };
}

/** `schema`, `schema:table` or `schema:table:filter`. */
function legacyBinding(subTopic: string): BindingParams {
  const [, schema = '', table, filter] = /^([^:]*)(?::([^:]*))?(?::(.*))?$/s.exec(subTopic) ?? [];
  return {
    schema,
    ...(table === undefined ? {} : { table }),
    ...(filter === undefined ? {} : { filter }),
  };
}

function changesWaitMs({ wait, timeout }: Record<string, unknown>): number | null {
  if (!flag(wait)) return null;
  const isGiven = typeof timeout === 'number' && Number.isInteger(timeout) && timeout > 0;
  return Math.min(isGiven ? timeout : DEFAULT_CHANGES_WAIT_MS, MAX_CHANGES_WAIT_MS);
}

function section(from: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = from[name];
  return isRecord(value) ? value : {};
}

function flag(value: unknown): boolean {
  return value === true || value === 'true';
}

function presenceKey(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function accessToken(params: Record<string, unknown>): string | null {
  for (const given of [params.user_token, params.access_token]) {
    if (typeof given === 'string') return given.startsWith('sb_') ? null : given;
  }
  return null;
}
