import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import type { AuthError } from '@supabase/supabase-js';
import * as z from 'zod';
import type { SettingsAnswer } from '../settings/settings.ts';
import { readForm, type Invalid } from './read-form.ts';

/** What a form of this file gives back when it can't go on: what was typed, and what to mend. */
export type FormAnswer = {
  email?: string;
  fields?: Invalid;
  message?: string;
  sent?: boolean;
};

const email = z.email('Enter an e-mail address, like ada@example.org.');
const password = z.string().min(8, 'Use at least 8 characters.').max(72, 'Use at most 72.');

const schemas = {
  signIn: z.object({ email, password: z.string().min(1, 'Enter your password.') }),
  signUp: z.object({
    firstName: z.string().trim().min(1, 'Enter your first name.').max(100),
    lastName: z.string().trim().max(100),
    email,
    password,
  }),
  email: z.object({ email }),
  password: z.object({ password }),
  change: z.object({ current: z.string().min(1, 'Enter your present password.'), password }),
};

/** Signs in with a password. */
export async function signIn(event: RequestEvent) {
  const form = await readForm(event, schemas.signIn);
  if (!form.ok) return form.refuse(withTyped(form.values));
  const { error } = await event.locals.auth.signInWithPassword(form.data);
  if (error) return refuse(form.data.email, error);
  redirect(303, nextPage(event));
}

/** Makes an account, which is always a student's, and signs in. */
export async function signUp(event: RequestEvent) {
  const form = await readForm(event, schemas.signUp);
  if (!form.ok) return form.refuse(withTyped(form.values));
  const { email, password, firstName, lastName } = form.data;
  const { data, error } = await event.locals.auth.signUp({
    email,
    password,
    options: {
      data: { first_name: firstName, last_name: lastName },
      emailRedirectTo: confirmPage(event),
    },
  });
  if (error) return refuse(email, error);
  if (data.session === null) return { email, sent: true } satisfies FormAnswer;
  redirect(303, nextPage(event));
}

/** Sends a link that signs in. */
export async function sendMagicLink(event: RequestEvent) {
  const form = await readForm(event, schemas.email);
  if (!form.ok) return form.refuse(withTyped(form.values));
  const { error } = await event.locals.auth.signInWithOtp({
    email: form.data.email,
    options: { shouldCreateUser: false, emailRedirectTo: confirmPage(event) },
  });
  if (error && error.status !== 422 && error.status !== 400) {
    return refuse(form.data.email, error);
  }
  // The same answer for an address without an account: nobody learns who has one.
  return { email: form.data.email, sent: true } satisfies FormAnswer;
}

/** Sends a link that leads to the page for a new password. */
export async function sendRecovery(event: RequestEvent) {
  const form = await readForm(event, schemas.email);
  if (!form.ok) return form.refuse(withTyped(form.values));
  const { error } = await event.locals.auth.resetPasswordForEmail(form.data.email, {
    redirectTo: confirmPage(event),
  });
  if (error && error.status === 429) return refuse(form.data.email, error);
  return { email: form.data.email, sent: true } satisfies FormAnswer;
}

/** Sets a new password for who is signed in. */
export async function resetPassword(event: RequestEvent) {
  const form = await readForm(event, schemas.password);
  if (!form.ok) return form.refuse(withTyped(form.values));
  const { error } = await event.locals.auth.updateUser(form.data);
  if (error) return refuse(undefined, error);
  redirect(303, '/');
}

/** Sets a new password from the settings, for who knows the old one. */
export async function changePassword(event: RequestEvent) {
  const { email } = await event.locals.caller.identity.me();
  const form = await readForm(event, schemas.change);
  if (!form.ok) return form.refuse((fields): SettingsAnswer => ({ form: 'password', fields }));
  const { current, password } = form.data;
  const known = await event.locals.auth.signInWithPassword({ email, password: current });
  if (known.error) {
    const fields = { current: 'This is not your password.' };
    const wrong = known.error.code === 'invalid_credentials';
    return fail(wrong ? 400 : 503, {
      form: 'password',
      ...(wrong ? { fields } : { message: inWords(known.error) }),
    } as SettingsAnswer);
  }
  const { error } = await event.locals.auth.updateUser({ password });
  if (error) {
    return fail(400, { form: 'password', message: inWords(error) } as SettingsAnswer);
  }
  return { form: 'password', saved: true } satisfies SettingsAnswer;
}

/** Ends the session on this device. */
export async function signOut(event: RequestEvent) {
  await event.locals.auth.signOut({ scope: 'local' });
  redirect(303, '/sign-in');
}

const otpTypes = z.enum(['email', 'magiclink', 'signup', 'recovery', 'invite', 'email_change']);

/** Follows the link of a mail: signs in and goes on, or to the sign-in page with the reason. */
export async function confirm(event: RequestEvent): Promise<never> {
  const tokenHash = event.url.searchParams.get('token_hash');
  const type = otpTypes.safeParse(event.url.searchParams.get('type'));
  if (tokenHash !== null && type.success) {
    const { error } = await event.locals.auth.verifyOtp({ token_hash: tokenHash, type: type.data });
    if (error === null) {
      redirect(303, type.data === 'recovery' ? '/reset-password' : nextPage(event));
    }
  }
  redirect(303, '/sign-in?problem=link');
}

/**
 * The page that a mail's link leads to; it goes on to where the form was asked to lead. Always with a
 * query, so that the templates of a hosted project can go on with `&token_hash=…`.
 */
function confirmPage(event: RequestEvent): string {
  const page = new URL('/auth/confirm', event.url.origin);
  page.searchParams.set('next', nextPage(event));
  return page.href;
}

/** Where to go afterwards: a page of this portal, never another site. */
export function nextPage({ url }: Pick<RequestEvent, 'url'>): string {
  const next = url.searchParams.get('next') ?? '/';
  const target = URL.canParse(next, url.origin) ? new URL(next, url.origin) : null;
  return target?.origin === url.origin ? target.pathname + target.search : '/';
}

/** What was typed as the address stays in the form. */
function withTyped({ email }: Record<string, FormDataEntryValue>) {
  return (fields: Invalid): FormAnswer => ({
    email: typeof email === 'string' ? email : undefined,
    fields,
  });
}

/** What Auth's error means to a person, by its code: https://supabase.com/docs/guides/auth/debugging/error-codes */
const sentences: Record<string, string> = {
  invalid_credentials: 'E-mail or password is not right.',
  email_not_confirmed: 'Open the link in the mail that we sent you first.',
  user_already_exists: 'There is an account with this address already. Sign in instead.',
  email_exists: 'There is an account with this address already. Sign in instead.',
  weak_password: 'This password is too easy to guess. Use a longer one.',
  same_password: 'This is your password already. Choose another.',
  over_email_send_rate_limit: 'We have just sent you a mail. Wait a minute before the next.',
  over_request_rate_limit: 'Too many attempts. Wait a minute, then try again.',
  session_not_found: 'The link has been used or is too old. Ask for a new one.',
};

function inWords(error: AuthError): string {
  return sentences[error.code ?? ''] ?? 'That did not work. Try again in a moment.';
}

function refuse(email: string | undefined, error: AuthError) {
  const message = inWords(error);
  const status = error.status !== undefined && error.status >= 400 ? error.status : 503;
  return fail(status, { email, message } as FormAnswer);
}
