import { ERROR_CODES } from '@homeroom/api/errors';
import { toApiError } from '@homeroom/api/server';
import { error, fail } from '@sveltejs/kit';

/** The API's error in words for a person: what happened, and what to do. */
function inWords(cause: unknown): { status: number; message: string } {
  const { appCode, status } = toApiError(cause);
  const { sentence, whatToDo } = ERROR_CODES[appCode];
  return { status, message: `${sentence} ${whatToDo}` };
}

/**
 * What an action gives back when the API refused, with what else its page wants to know. Faults of
 * ours are thrown on.
 */
export function failureOf<More extends Record<string, unknown> = Record<never, never>>(
  cause: unknown,
  more?: More,
) {
  const { status, message } = inWords(cause);
  if (status >= 500) throw cause;
  return fail(status, { ...(more as More), message });
}

/** Shows the API's refusal as the page's error. Faults of ours are thrown on. */
export function throwPageError(cause: unknown): never {
  const { status, message } = inWords(cause);
  if (status >= 500) throw cause;
  error(status, message);
}

export { toApiError };
