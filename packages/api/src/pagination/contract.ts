import * as z from 'zod';

/** How many rows a list gives when the caller doesn't say. */
const LIMIT_DEFAULT = 20;
/** The most rows that one answer carries, so that no call can ask for a whole table. */
const LIMIT_MAX = 100;

/** `limit` of every list: 1–100. */
export const limitSchema = z.int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT);

/** The place after a row, in a list ordered by `(createdAt, id)`. */
export const keysetSchema = z.object({ createdAt: z.iso.datetime(), id: z.guid() });

/** The place after a row, in a list ordered by `(createdAt, id)`. */
export type Keyset = z.infer<typeof keysetSchema>;

/** The opaque text by which a caller asks for the rows after `last`. */
export function encodeCursor(last: Keyset): string {
  return btoa(JSON.stringify([last.createdAt, last.id]))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The place that {@link encodeCursor} wrote, or null when it is not one of ours. */
export function decodeCursor(cursor: string): Keyset | null {
  let decoded: unknown;
  try {
    decoded = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    // Neither base64 nor JSON: whatever it is, we didn't write it.
    return null;
  }
  if (!Array.isArray(decoded)) return null;
  const [createdAt, id] = decoded as unknown[];
  const keyset = keysetSchema.safeParse({ createdAt, id });
  return keyset.success ? keyset.data : null;
}

/** `cursor` of every list: opaque to the caller, a {@link Keyset} to us. */
export const cursorSchema = z
  .string()
  .max(200)
  .transform((cursor, context): Keyset => {
    const keyset = decodeCursor(cursor);
    if (keyset) return keyset;
    context.addIssue({ code: 'custom', message: 'Not a cursor that a list of ours has given' });
    return z.NEVER;
  });

/** What every list takes: where to go on, and how many rows. */
export const pageInput = z.object({ cursor: cursorSchema.optional(), limit: limitSchema });
