/** A new token on an open channel: rights are asked again, the old ones forgotten. */
import { AuthorizationFailure } from '../authorization/policies.ts';
import { isRecord } from '../codec/client-message.ts';
import type { Services } from '../services.ts';
import { expiredMessage, TokenError } from '../token/errors.ts';
import type { Channel } from './channel.ts';
import { shutDown } from './lifecycle.ts';
import { listen, ReadDenied, readRights } from './rights.ts';

/**
 * Handles `access_token`. Nothing is answered unless the channel must end. A token that comes too
 * soon after another is kept, and the last one kept is used when its time has come.
 */
export function refreshToken(
  services: Services,
  channel: Channel,
  payload: unknown,
): void | Promise<void> {
  const token = isRecord(payload) ? payload.access_token : undefined;
  if (typeof token !== 'string' || token.startsWith('sb_') || token === channel.token) return;
  if (services.now() < channel.nextTokenAtMs) {
    channel.waitingToken = token;
    return;
  }
  return useToken(services, channel, token);
}

/** Uses a token that had to wait, and ends the channel if the one it has has run out. */
export function tendToken(services: Services, channel: Channel): void {
  if (channel.state !== 'joined') return;
  const nowMs = services.now();
  const hasExpired = channel.claims.exp * 1000 <= nowMs;
  if (channel.waitingToken !== null && (hasExpired || nowMs >= channel.nextTokenAtMs)) {
    channel.mailbox.post(() => {
      const token = channel.waitingToken;
      if (channel.state === 'joined' && token !== null) return useToken(services, channel, token);
    });
  } else if (hasExpired) {
    shutDown(services, channel, expiredMessage(channel.claims.exp, nowMs));
  }
}

async function useToken(services: Services, channel: Channel, token: string): Promise<void> {
  channel.waitingToken = null;
  channel.nextTokenAtMs = services.now() + services.limits.tokenRefreshIntervalMs;
  try {
    channel.claims = await services.tokens.verify(token);
    channel.token = token;
    if (channel.config.isPrivate) await askAgain(services, channel);
  } catch (error) {
    const reason = reasonOf(error, channel);
    if (reason === null) throw error;
    shutDown(services, channel, reason);
    return;
  }
  if (channel.state === 'joined') services.changes.resubscribe(channel);
}

async function askAgain(services: Services, channel: Channel): Promise<void> {
  const before = channel.rights;
  const rights = await readRights(services, channel);
  const lost =
    (before.broadcast.read && !rights.broadcast.read) ||
    (before.presence.read === true && rights.presence.read === false);
  if (lost) throw new ReadRightLost();
  channel.rights = rights;
  if (channel.state === 'joined') listen(channel);
}

class ReadRightLost extends Error {}

function reasonOf(error: unknown, channel: Channel): string | null {
  if (error instanceof TokenError || error instanceof ReadDenied) return error.message;
  if (error instanceof ReadRightLost) {
    return `You no longer have permission to read from this Channel topic: ${channel.subTopic}`;
  }
  if (error instanceof AuthorizationFailure) {
    return error.code === 'QueryCanceled'
      ? 'Query was cancelled, please try again'
      : 'Realtime was unable to connect to the project database';
  }
  return null;
}
