import type { AppRouter } from '@homeroom/api';
import type { ErrorData } from '@homeroom/api/server';
import { TRPCClientError } from '@trpc/client';

/**
 * What the API says of an error: its stable code, the fields, the seconds to wait, the scope that
 * is missing. Null when the error isn't the API's, such as one of the network.
 */
export function apiErrorOf(error: unknown): (ErrorData & { message: string }) | null {
  if (!(error instanceof TRPCClientError)) return null;
  const { data, message } = error as TRPCClientError<AppRouter>;
  return data ? { ...data, message } : null;
}

/** What to do about an error, in a sentence for a log; also for errors of the network. */
export function adviceFor(error: unknown): string {
  const told = apiErrorOf(error);
  if (told === null) {
    return isAborted(error)
      ? 'The call was given up before it was answered: allow it more time with `timeoutMs`, or repeat it.'
      : 'The API could not be reached: check `url`, and that the portal is running.';
  }
  if (told.missingScope !== undefined) {
    return `${told.message} Have an administrator make a key with it, under Admin → Keys.`;
  }
  if (told.retryAfterSeconds !== undefined) {
    return `${told.message} Repeat it in ${told.retryAfterSeconds} s, or have the key's rate raised.`;
  }
  const fields = (told.fields ?? []).map(({ field, reason }) => `${field}: ${reason}`);
  return [told.message, ...fields, `Request ${told.requestId ?? 'unknown'}.`].join(' ');
}

/** Whether a call was given up: by its caller, or because its time was over. */
export function isAborted(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current.name === 'AbortError' || current.name === 'TimeoutError') return true;
  }
  return false;
}
