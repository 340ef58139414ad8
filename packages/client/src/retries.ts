import type { AppRouter } from '@homeroom/api';
import { retryLink, type Operation, type TRPCLink } from '@trpc/client';
import { apiErrorOf, isAborted } from './errors.ts';

/** The first wait, ms; it doubles with each attempt. */
const WAIT_MS = 250;
/** No wait is longer, unless the API asks for it. */
const WAIT_MS_MAX = 8_000;
/** What passes by itself: the API is restarting, or somebody else was faster. */
const PASSING = new Set(['UNAVAILABLE', 'TOO_MANY_REQUESTS', 'CONFLICT']);

/**
 * Whether a call may be made twice: a query always; of mutations those of `services`, which are
 * idempotent by nature or by the key that {@link idempotencyLink} gives them.
 */
export function mayRepeat({ type, path }: Pick<Operation, 'type' | 'path'>): boolean {
  return type === 'query' || (type === 'mutation' && path.startsWith('services.'));
}

/** Gives a call of a service the key by which its repeats are known, where the caller gave none. */
export function idempotencyLink(): TRPCLink<AppRouter> {
  return () =>
    ({ op, next }) => {
      const { input } = op;
      const isNamed = op.type !== 'mutation' || !mayRepeat(op) || !isObject(input);
      if (isNamed || 'idempotencyKey' in input) return next(op);
      return next({ ...op, input: { ...input, idempotencyKey: crypto.randomUUID() } });
    };
}

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null;
}

/** Repeats what may be repeated and failed for a passing reason, with growing, jittered waits. */
export function retries(retriesMax: number, waitMs = WAIT_MS): TRPCLink<AppRouter> {
  // tRPC asks for the delay right after it has asked whether to retry, without the error.
  let askedToWaitMs = 0;
  return retryLink<AppRouter>({
    retry({ op, error, attempts }) {
      if (attempts > retriesMax || !mayRepeat(op) || op.signal?.aborted === true) return false;
      const told = apiErrorOf(error);
      askedToWaitMs = (told?.retryAfterSeconds ?? 0) * 1000;
      // Nothing told: the network, a proxy, or the time of one attempt was over.
      return told === null ? !isOfTheCaller(error, op) : PASSING.has(told.appCode);
    },
    retryDelayMs(attempt) {
      const growing = Math.min(waitMs * 2 ** (attempt - 1), Math.max(waitMs, WAIT_MS_MAX));
      return Math.max(askedToWaitMs, growing * (0.5 + Math.random() / 2));
    },
  });
}

/** Given up by whoever called, rather than by our own timeout. */
function isOfTheCaller(error: unknown, { signal }: Operation): boolean {
  return isAborted(error) && signal?.aborted === true;
}
