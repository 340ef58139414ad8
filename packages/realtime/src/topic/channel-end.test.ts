import { describe, expect, it } from 'vitest';
import { LIVE_ERRORS, RealtimeError } from '../connection/errors.ts';
import { channelEnd, isTokenFault } from './channel-end.ts';

describe('the end of a channel', () => {
  it.each([
    'Unauthorized: You do not have permissions to read from this Channel topic: user:ada',
    'You no longer have permission to read from this Channel topic: user:ada',
    'PrivateOnly: This project only allows private channels',
  ])('is for good after "%s"', (reason) => {
    expect(channelEnd(new Error(reason))).toMatchObject({
      kind: 'refused',
      error: { code: 'TOPIC_FORBIDDEN' },
    });
  });

  it.each(['Too many messages per second', 'IncreaseConnectionPool', 'socket closed: 1012'])(
    'passes after "%s"',
    (reason) => expect(channelEnd(new Error(reason)).kind).toBe('passing'),
  );

  it.each([
    'Token has expired 3 seconds ago',
    'InvalidJWTToken: Token has expired',
    'MalformedJWT',
  ])('asks for another token after "%s"', (reason) => {
    expect(channelEnd(reason).kind).toBe('passing');
    expect(isTokenFault(reason)).toBe(true);
  });

  it('is for good when nobody is signed in', () => {
    const end = channelEnd(new RealtimeError(LIVE_ERRORS.signedOut));
    expect(end).toMatchObject({ kind: 'refused', error: { code: 'SIGNED_OUT' } });
  });
});
