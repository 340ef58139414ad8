/** Links that an administrator has made for somebody, as GoTrue's `generate_link` and `invite`. */
import type { Sql } from 'postgres';
import { AuthError } from '../admin-users/errors.ts';
import type { UserJson } from '../admin-users/user-json.ts';
import { createUser, getUser } from '../admin-users/users.ts';
import { oneTimeToken, type OneTimeToken } from './one-time-token.ts';

export type LinkType = 'signup' | 'invite' | 'magiclink' | 'recovery';
/** For whom, and what a new account begins with. */
export type LinkWish = {
  type: LinkType;
  email: string;
  password?: string | undefined;
  data?: Record<string, unknown> | undefined;
};
export type IssuedLink = { user: UserJson; token: OneTimeToken; type: LinkType };

/**
 * Makes the account if it may be made, and the token of its link; an older one no longer holds.
 * @throws AuthError email_exists: who has confirmed the address can't sign up or be invited;
 *   user_not_found: there is no password to forget
 */
export async function issueLink(sql: Sql, wish: LinkWish): Promise<IssuedLink> {
  const known = await accountOf(sql, wish.email);
  const type = known === null && wish.type === 'magiclink' ? 'signup' : wish.type;
  if (known?.is_confirmed === true && (type === 'signup' || type === 'invite')) {
    const sentence = 'A user with this email address has already been registered';
    throw new AuthError(422, 'email_exists', sentence);
  }
  if (known === null && type === 'recovery') {
    throw new AuthError(404, 'user_not_found', 'User with this email not found');
  }
  const id = known?.id ?? (await newAccount(sql, wish));
  const token = oneTimeToken(wish.email);
  if (type === 'signup' || type === 'invite') {
    await sql`
      update auth.users
      set confirmation_token = ${token.hash}, confirmation_sent_at = now(),
        invited_at = case when ${type === 'invite'} then now() else invited_at end
      where id = ${id}`;
  } else {
    await sql`
      update auth.users set recovery_token = ${token.hash}, recovery_sent_at = now()
      where id = ${id}`;
  }
  return { user: await getUser(sql, id), token, type };
}

/** Makes the account of an address that nobody has proved to be theirs. */
export async function newAccount(
  sql: Sql,
  { email, password, data }: Omit<LinkWish, 'type'>,
): Promise<string> {
  const user = await createUser(sql, { email, password, user_metadata: data });
  return user.id;
}

type Account = { id: string; is_confirmed: boolean };

/** The account of an address, or null. */
export async function accountOf(sql: Sql, email: string): Promise<Account | null> {
  const [account] = await sql<Account[]>`
    select id, email_confirmed_at is not null as is_confirmed
    from auth.users
    where email = ${email}`;
  return account ?? null;
}
