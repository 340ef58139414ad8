import * as z from 'zod';

/** A whole number as a query string has it. */
export function wholeNumber(min: number, max: number, otherwise: number) {
  const reason = `Not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, reason)
    .transform(Number)
    .pipe(z.int().min(min, reason).max(max, reason))
    .default(otherwise);
}
