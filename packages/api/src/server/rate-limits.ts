import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiError } from './errors.ts';

/** Calls that one user may make of one procedure, a minute. */
export type RateLimits = { query: number; mutation: number };

/** A page that polls every two seconds in ten tabs stays below it; a loop doesn't. */
export const RATE_LIMITS_DEFAULT: RateLimits = { query: 300, mutation: 60 };

const WINDOW_SECONDS = 60;

/** Counts a call. @throws ApiError TOO_MANY_REQUESTS with the seconds to wait */
export type CountCall = (kind: keyof RateLimits, path: string, caller: string) => Promise<void>;

/** Limits per caller and procedure, in the memory of this process. */
export function createRateLimits(limits: RateLimits = RATE_LIMITS_DEFAULT): CountCall {
  const limiters = {
    query: new RateLimiterMemory({ points: limits.query, duration: WINDOW_SECONDS }),
    mutation: new RateLimiterMemory({ points: limits.mutation, duration: WINDOW_SECONDS }),
  };
  return async (kind, path, caller) => {
    try {
      await limiters[kind].consume(`${path} ${caller}`);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new ApiError('TOO_MANY_REQUESTS', { retryAfterSeconds });
    }
  };
}
