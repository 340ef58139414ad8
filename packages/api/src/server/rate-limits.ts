import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Service } from '../services/service-keys.ts';
import { ApiError } from './errors.ts';

/** Calls that one user may make of one procedure, a minute. */
export type RateLimits = { query: number; mutation: number };

/** A page that polls every two seconds in ten tabs stays below it; a loop doesn't. */
export const RATE_LIMITS_DEFAULT: RateLimits = { query: 300, mutation: 60 };

const WINDOW_SECONDS = 60;

/** Whose calls are counted: a person's or an address's per procedure, a service's all together. */
export type CountedCaller = string | Pick<Service, 'id' | 'callsPerMinute'>;

/** Counts a call. @throws ApiError TOO_MANY_REQUESTS with the seconds to wait */
export type CountCall = (
  kind: keyof RateLimits,
  path: string,
  caller: CountedCaller,
) => Promise<void>;

/** Limits per caller and procedure, and per service key, in the memory of this process. */
export function createRateLimits(limits: RateLimits = RATE_LIMITS_DEFAULT): CountCall {
  const limiters = {
    query: new RateLimiterMemory({ points: limits.query, duration: WINDOW_SECONDS }),
    mutation: new RateLimiterMemory({ points: limits.mutation, duration: WINDOW_SECONDS }),
  };
  // One per rate: keys of the same rate share a limiter, not their points.
  const ofServices = new Map<number, RateLimiterMemory>();
  const serviceLimiter = (points: number) => {
    const limiter =
      ofServices.get(points) ?? new RateLimiterMemory({ points, duration: WINDOW_SECONDS });
    ofServices.set(points, limiter);
    return limiter;
  };
  return async (kind, path, caller) => {
    try {
      if (typeof caller === 'string') await limiters[kind].consume(`${path} ${caller}`);
      else await serviceLimiter(caller.callsPerMinute).consume(caller.id);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new ApiError('TOO_MANY_REQUESTS', { retryAfterSeconds });
    }
  };
}
