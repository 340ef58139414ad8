/** A new token on an open channel: rights are asked again, the old ones forgotten. */
import { AuthorizationFailure } from '../authorization/policies.ts';
import { isRecord } from '../codec/client-message.ts';
import type { Services } from '../services.ts';
import { expiredMessage, TokenError } from '../token/errors.ts';
import type { Channel } from './channel.ts';
import { shutDown } from './lifecycle.ts';
import { listen, ReadDenied, readRights } from './rights.ts';

/** Handles `access_token`. Nothing is answered unless the channel must end. */
export async function refreshToken(
  services: Services,
  channel: Channel,
  payload: unknown,
): Promise<void> {
  const token = isRecord(payload) ? payload.access_token : undefined;
  if (typeof token !== 'string' || token.startsWith('sb_') || token === channel.token) return;
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

/** Ends the channel if its token has run out. */
export function endExpired(services: Services, channel: Channel): void {
  if (channel.state !== 'joined' || channel.claims.exp * 1000 > services.now()) return;
  shutDown(services, channel, expiredMessage(channel.claims.exp, services.now()));
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
