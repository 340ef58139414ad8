import { redirect, type RequestEvent } from '@sveltejs/kit';
import * as z from 'zod';

/** A code that came with the address of a page, and when that was opened first. */
export type SeenCode = { code: string; seenAt: string };

const codeSchema = z.string().regex(/^\d{6}$/);
const seenSchema = z.object({ code: codeSchema, seenAt: z.iso.datetime() });

/**
 * Answers `/check-in/<workshop>?code=…`, where the QR code on the instructor's screen leads: to the
 * workshop's page, with the time at which the code was seen, which stays the same however long
 * signing in takes.
 */
export function leadToCheckIn({ params, url }: RequestEvent): never {
  const code = codeSchema.safeParse(url.searchParams.get('code'));
  const seen = code.success ? `?code=${code.data}&seen=${new Date().toISOString()}` : '';
  redirect(303, `/workshops/${encodeURIComponent(params.workshop ?? '')}${seen}`);
}

/** The code that came with a page's address; null when there is none, or no good one. */
export function seenCode({ searchParams }: URL): SeenCode | null {
  const seen = { code: searchParams.get('code'), seenAt: searchParams.get('seen') };
  return seenSchema.safeParse(seen).data ?? null;
}
