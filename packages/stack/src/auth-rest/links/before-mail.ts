/** What must be so before Auth sends a mail that anyone may ask for. */
import type { Sql } from 'postgres';
import { z } from 'zod';
import { AuthError } from '../admin-users/errors.ts';
import { userChanges } from '../admin-users/inputs.ts';
import { callerOf } from '../caller.ts';
import type { AuthRestSettings } from '../wire.ts';
import { accountOf, newAccount } from './issue-link.ts';

/** Which column of `auth.users` says when the mail of a path was last sent. */
const SENT_AT: Record<string, 'confirmation_sent_at' | 'recovery_sent_at'> = {
  '/auth/v1/signup': 'confirmation_sent_at',
  '/auth/v1/resend': 'confirmation_sent_at',
  '/auth/v1/otp': 'recovery_sent_at',
  '/auth/v1/magiclink': 'recovery_sent_at',
  '/auth/v1/recover': 'recovery_sent_at',
};

const mailRequest = z.object({
  email: userChanges.shape.email.unwrap(),
  create_user: z.boolean().default(true),
  data: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Refuses a second mail within the interval, and makes the account of who signs in by a link for the
 * first time: the library would make one that counts as confirmed before anyone has seen the mail.
 * Null lets the library answer, also what isn't a sensible request.
 */
export async function beforeMail(
  request: Request,
  { settings, sql }: { settings: AuthRestSettings; sql: Sql },
): Promise<Response | null> {
  const { pathname } = new URL(request.url);
  const column = SENT_AT[pathname];
  if (column === undefined || request.method !== 'POST') return null;
  const given = mailRequest.safeParse(
    await request
      .clone()
      .json()
      .catch(() => null),
  );
  if (!given.success || typeof (await callerOf(request, settings)) === 'string') return null;
  const { email, create_user: mayCreate, data } = given.data;
  const account = await accountOf(sql, email);
  if (account !== null) return tooSoon(request, sql, column, account.id, settings);
  const isLink = pathname === '/auth/v1/otp' || pathname === '/auth/v1/magiclink';
  if (isLink && mayCreate) await newAccount(sql, { email, data: data ?? undefined });
  return null;
}

async function tooSoon(
  request: Request,
  sql: Sql,
  column: string,
  id: string,
  { mailIntervalSeconds }: AuthRestSettings,
): Promise<Response | null> {
  if (mailIntervalSeconds === 0) return null;
  const [account] = await sql<{ wait: number | null }[]>`
    select ceil(extract(epoch from ${sql(column)} - now()) + ${mailIntervalSeconds})::integer as wait
    from auth.users
    where id = ${id}`;
  const wait = account?.wait ?? 0;
  if (wait <= 0) return null;
  const sentence = `For security purposes, you can only request this after ${wait} seconds.`;
  return new AuthError(429, 'over_email_send_rate_limit', sentence).toResponse(request);
}
