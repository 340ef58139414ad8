/** What a client asks for when it joins. Pure: a bad part is replaced by its default, as upstream. */
import { isRecord } from '../codec/client-message.ts';

/** One `postgres_changes` binding, as the client wrote it. */
export type BindingParams = Readonly<Record<string, unknown>>;

export type JoinConfig = {
  isPrivate: boolean;
  broadcast: { ack: boolean; self: boolean; replicationReady: boolean; replay: unknown };
  presence: { isEnabled: boolean; key: string | null };
  postgresChanges: BindingParams[];
  /** The token the client gave with the join, or null for the socket's own key. */
  accessToken: string | null;
};

/** Reads the payload of `phx_join`. */
export function parseJoin(payload: unknown): JoinConfig {
  const params = isRecord(payload) ? payload : {};
  const config = section(params, 'config');
  const broadcast = section(config, 'broadcast');
  const presence = section(config, 'presence');
  const bindings = Array.isArray(config.postgres_changes) ? config.postgres_changes : [];
  return {
    isPrivate: flag(config.private),
    broadcast: {
      ack: flag(broadcast.ack),
      self: flag(broadcast.self),
      replicationReady: flag(broadcast.replication_ready),
      replay: broadcast.replay ?? null,
    },
    presence: { isEnabled: flag(presence.enabled), key: presenceKey(presence.key) },
    postgresChanges: bindings.filter(isRecord),
    accessToken: accessToken(params),
  };
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
