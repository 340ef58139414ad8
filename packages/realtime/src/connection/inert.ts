import { connectionOver, type Connection, type ConnectionOptions } from './connection.ts';

const never = () => () => undefined;

/**
 * A connection for server-side rendering: stores show their initial snapshot, and nothing is
 * opened, asked or scheduled.
 */
export function inertConnection({ userId, api }: ConnectionOptions): Connection {
  return connectionOver({
    userId,
    api,
    transport: {
      state: () => 'idle',
      onState: () => undefined,
      open: () => undefined,
      close: () => undefined,
      revive: () => undefined,
      join: never,
    },
    page: { isVisible: () => false, isOnline: () => true, onSignal: never },
    clock: { now: () => Date.now(), after: never, random: () => 0 },
  });
}
