import type { Clock } from './clock.ts';

/** Longest that a call to our own server may take, ms. Beyond it the network is taken for gone. */
const CALL_TIMEOUT_MS = 10_000;

/** The call's outcome, or a rejection when there is none in time. */
export function within<T>(clock: Clock, call: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(CALL_TIMEOUT_MS, () => {
      reject(new Error(`No answer within ${CALL_TIMEOUT_MS} ms`));
    });
    call.then(resolve, reject).finally(cancel);
  });
}
