import { LIVE_ERRORS, RealtimeError } from '../connection/errors.ts';
import type { ChannelEnd } from './transport.ts';

/**
 * What the server says when it will say the same next time. Codes and texts of Supabase Realtime
 * (its `realtime_channel.ex`): before a join, or in the system message before it closes a channel.
 */
const REFUSALS = [
  /^Unauthorized/,
  /^PrivateOnly/,
  /^TopicNameRequired/,
  /^You no longer have permission to read from this Channel topic/,
];

/** What it says when the token is to blame, and another one may help. */
const TOKEN_FAULTS = [/JWT/i, /^JwtSign/, /token has expired/i];

/** Whether another token is needed before the next attempt. */
export function isTokenFault(reason: string): boolean {
  return TOKEN_FAULTS.some((fault) => fault.test(reason));
}

/** Tells refusals for good from faults that pass. */
export function channelEnd(cause: unknown): ChannelEnd {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof RealtimeError && !cause.live.retryable) {
    return { kind: 'refused', reason, error: cause.live };
  }
  if (REFUSALS.some((refusal) => refusal.test(reason))) {
    return { kind: 'refused', reason, error: LIVE_ERRORS.topicForbidden };
  }
  return { kind: 'passing', reason };
}
