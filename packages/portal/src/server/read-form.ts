import { fail, type RequestEvent } from '@sveltejs/kit';
import * as z from 'zod';

/** What is wrong, by the field's name: one sentence each. */
export type Invalid = Record<string, string | undefined>;

/**
 * Reads a form by its schema: the data, or a way to refuse it that says what to mend. Files are
 * not text, and are left to the schema to refuse.
 */
export async function readForm<S extends z.ZodObject>(event: RequestEvent, schema: S) {
  const values = Object.fromEntries(await event.request.formData());
  const result = schema.safeParse(values);
  if (result.success) return { ok: true as const, data: result.data };
  const { fieldErrors } = z.flattenError(result.error) as {
    fieldErrors: Record<string, string[] | undefined>;
  };
  const fields: Invalid = Object.fromEntries(
    Object.entries(fieldErrors).map(([name, reasons]) => [name, reasons?.[0]]),
  );
  return {
    ok: false as const,
    values,
    /** Answers 400 with what the page shows. */
    refuse: <Answer extends Record<string, unknown>>(answer: (fields: Invalid) => Answer) =>
      fail(400, answer(fields)),
  };
}
