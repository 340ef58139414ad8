/** What ends by itself: idle sockets, sockets on no channel, channels whose token has run out. */
import { tendToken } from '../channel/access-token.ts';
import type { Services } from '../services.ts';
import type { Connection } from './connection.ts';

const NORMAL = 1000;

/** Looks at every socket once; called every {@link RealtimeLimits.sweepIntervalMs}. */
export function sweep(services: Services, connections: Iterable<Connection>, nowMs: number): void {
  const { idleTimeoutMs, emptyTimeoutMs } = services.limits;
  for (const connection of connections) {
    if (connection.channels.size > 0) connection.lastOnChannelMs = nowMs;
    const isIdle = nowMs - connection.lastHeardMs > idleTimeoutMs;
    const isUnused = nowMs - connection.lastOnChannelMs > emptyTimeoutMs;
    if (isIdle || isUnused) connection.close(NORMAL, '');
    else for (const channel of connection.channels.values()) tendToken(services, channel);
  }
}
