/** `/auth/v1/admin/generate_link` and `/auth/v1/invite`, which the library lacks. */
import type { Sql } from 'postgres';
import { z } from 'zod';
import { composeMail, type MailMessage, subjectFor } from '../../mail/mail-message.ts';
import { bodyOf, requireServiceRole } from '../admin-users/admin-request.ts';
import { AuthError, toAuthError } from '../admin-users/errors.ts';
import { userChanges } from '../admin-users/inputs.ts';
import { allowedRedirect } from '../redirect.ts';
import type { AuthRestSettings } from '../wire.ts';
import { issueLink } from './issue-link.ts';

type LinkParts = { settings: AuthRestSettings; sql: Sql; onMail(mail: MailMessage): void };

const GENERATE = '/auth/v1/admin/generate_link';
const INVITE = '/auth/v1/invite';

/** Whether {@link createLinks} answers this path. */
export function isLinkPath(pathname: string): boolean {
  return pathname === GENERATE || pathname === INVITE;
}

const invitation = z.object({
  email: userChanges.shape.email.unwrap(),
  data: z.record(z.string(), z.unknown()).optional(),
});
/** Changes of an address are confirmed by the mails of `updateUser` only. */
const linkWish = invitation.extend({
  type: z.enum(['signup', 'invite', 'magiclink', 'recovery']),
  password: userChanges.shape.password,
  redirect_to: z.string().optional(),
});

/** A function that answers both, for holders of the secret key. */
export function createLinks(parts: LinkParts): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      await requireServiceRole(request, parts.settings);
      if (request.method !== 'POST') {
        throw new AuthError(405, 'method_not_allowed', 'Method not allowed');
      }
      const isInvitation = new URL(request.url).pathname === INVITE;
      return await (isInvitation ? invite(request, parts) : generate(request, parts));
    } catch (error) {
      return toAuthError(error).toResponse(request);
    }
  };
}

async function generate(request: Request, { settings, sql }: LinkParts): Promise<Response> {
  const wish = linkWish.parse(await bodyOf(request));
  const { user, token, type } = await issueLink(sql, wish);
  const url = new URL(request.url);
  const wished = wish.redirect_to ?? url.searchParams.get('redirect_to');
  const redirectTo = allowedRedirect(wished, settings);
  const action = new URL('/auth/v1/verify', url.origin);
  action.search = new URLSearchParams({
    token: token.hash,
    type,
    redirect_to: redirectTo,
  }).toString();
  return Response.json({
    ...user,
    action_link: action.href,
    email_otp: token.code,
    hashed_token: token.hash,
    redirect_to: redirectTo,
    verification_type: type,
  });
}

async function invite(request: Request, { settings, sql, onMail }: LinkParts): Promise<Response> {
  const { email, data } = invitation.parse(await bodyOf(request));
  const { user, token } = await issueLink(sql, { type: 'invite', email, data });
  const wished = new URL(request.url).searchParams.get('redirect_to');
  const subject = subjectFor('invite')
    .replace('{{ .Token }}', token.code)
    .replace('{{ .TokenHash }}', token.hash);
  onMail(composeMail({ to: email, subject }, allowedRedirect(wished, settings)));
  return Response.json(user);
}
