import type * as z from 'zod';
import { ERROR_CODES } from '../server/error-codes.ts';
import { ApiError, fieldsOf } from '../server/errors.ts';

/**
 * What the guides' routes answer when all went well: `{ success, data, meta }`, but for those of
 * which the guide wrote down another shape (`bare`).
 */
export type Envelope = { data: unknown; meta?: Record<string, number> } | { bare: object };

/** An answer in the guides' envelope. */
export function success(envelope: Envelope): Response {
  if ('bare' in envelope) return Response.json(envelope.bare);
  const { data, meta } = envelope;
  return Response.json({ success: true, data, ...(meta && { meta }) });
}

/** An error in the guides' envelope, with its HTTP status. */
export function failure(error: ApiError, requestId: string): Response {
  const { appCode, message, status, fields, retryAfterSeconds } = error;
  const response = Response.json(
    {
      success: false,
      error: {
        code: appCode,
        message,
        what_to_do: ERROR_CODES[appCode].whatToDo,
        ...(fields && { fields }),
        ...(retryAfterSeconds && { retry_after_seconds: retryAfterSeconds }),
        request_id: requestId,
      },
    },
    { status },
  );
  if (retryAfterSeconds) response.headers.set('retry-after', String(retryAfterSeconds));
  return response;
}

/** Input in the route's own words. @throws ApiError INPUT_INVALID naming the route's fields */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ApiError('INPUT_INVALID', { fields: fieldsOf(parsed.error), cause: parsed.error });
}
