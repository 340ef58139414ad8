import type { GatewayAddress } from './gateway.worker.ts';

/** Keeps a socket open. */
export const HEARTBEAT = '[null,"h","phoenix","heartbeat",{}]';

/** Upstream's clients do it every 25 s. */
export const HEARTBEAT_MS = 20_000;

/** Where a plain WebSocket finds Realtime, in the second version of its serializer. */
export function realtimeUrl({ apiUrl, publishableKey }: GatewayAddress): string {
  const base = apiUrl.replace(/^http/, 'ws');
  return `${base}/realtime/v1/websocket?apikey=${publishableKey}&vsn=2.0.0`;
}

/** Joins a public topic, with the changes of a table if one is given; a private one if asked. */
export function joinFrame(
  topic: string,
  table?: string,
  token?: string,
  isPrivate = false,
): string {
  const changes = table ? [{ event: 'INSERT', schema: 'public', table }] : [];
  const config = {
    broadcast: { self: false, ack: false },
    presence: { enabled: false, key: '' },
    postgres_changes: changes,
    private: isPrivate,
  };
  const payload = token ? { config, access_token: token } : { config };
  return JSON.stringify(['1', '1', `realtime:${topic}`, 'phx_join', payload]);
}
