/** Sign-ins of users whom an administrator has banned, which the library lets through. */
import type { Sql } from 'postgres';
import { AuthError } from './admin-users/errors.ts';

/** The answer to a request for a session, or a refusal if its user is banned. */
export async function unlessBanned(
  request: Request,
  response: Response,
  sql: Sql,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const givesSession = pathname === '/auth/v1/token' || pathname === '/auth/v1/verify';
  if (!givesSession || !response.ok) return response;
  const { user } = (await response.clone().json()) as { user?: { id?: string } };
  if (user?.id === undefined) return response;
  const [banned] = await sql`
    select from auth.users where id = ${user.id} and banned_until > now()`;
  if (banned === undefined) return response;
  await sql`delete from auth.sessions where user_id = ${user.id}`;
  return new AuthError(400, 'user_banned', 'User is banned').toResponse(request);
}
