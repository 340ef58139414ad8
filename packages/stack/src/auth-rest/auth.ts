/** Auth: the library's GoTrue, with mails whose links lead to the app that asked for them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { App } from '@supabase/lite';
import type { PostgresConnection } from '@supabase/lite/postgres';
import { composeMail, LINK_KINDS, type MailMessage, subjectFor } from '../mail/mail-message.ts';
import { allowedRedirect } from './redirect.ts';
import type { AuthRestSettings } from './wire.ts';

type AuthOptions = {
  settings: AuthRestSettings;
  connection: PostgresConnection;
  onMail(mail: MailMessage): void;
};

/** A function that answers requests of /auth/v1. */
export function createAuth({
  settings,
  connection,
  onMail,
}: AuthOptions): (request: Request) => Promise<Response> {
  // The library knows one address for all mails; the request it works on names the right one.
  const redirectTo = new AsyncLocalStorage<string>();
  const app = new App({
    connection,
    auth: {
      enabled: true,
      jwt_secret: settings.jwtSecret,
      jwt_expiry: settings.accessTokenSeconds,
      publishable_key: settings.publishableKey,
      secret_key: settings.secretKey,
      site_url: settings.siteUrl,
      additional_redirect_urls: settings.redirectUrls,
      enable_signup: true,
      enable_refresh_token_rotation: true,
      email: {
        enable_signup: true,
        enable_confirmations: settings.confirmEmail,
        template: Object.fromEntries(
          LINK_KINDS.map((kind) => [kind, { subject: subjectFor(kind) }]),
        ),
      },
    },
    db: { migrations: { enabled: false } },
    options: {
      server: { disableStudio: true, disableFallback: true },
      drivers: {
        email: {
          send(message) {
            onMail(composeMail(message, redirectTo.getStore() ?? settings.siteUrl));
            return Promise.resolve();
          },
        },
      },
    },
  });
  return async (request) => {
    const wished = new URL(request.url).searchParams.get('redirect_to');
    return redirectTo.run(allowedRedirect(wished, settings), () => fetchAuth(app, request));
  };
}

/**
 * `type: 'email'` is today's name for what was `signup` and `magiclink`, and an invitation is
 * accepted as a sign-up is confirmed: those two are all that the library knows.
 */
async function fetchAuth(app: App, request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname !== '/auth/v1/verify') return app.fetch(request);
  if (request.method === 'GET') {
    if (url.searchParams.get('type') === 'invite') url.searchParams.set('type', 'signup');
    return app.fetch(new Request(url, request));
  }
  const body = await request.text();
  const verify = (text: string) =>
    app.fetch(new Request(request.url, { method: 'POST', headers: request.headers, body: text }));
  const given = parseObject(body);
  if (given?.['type'] === 'invite') return verify(JSON.stringify({ ...given, type: 'signup' }));
  if (given?.['type'] !== 'email') return verify(body);
  const asSignUp = await verify(JSON.stringify({ ...given, type: 'signup' }));
  if (asSignUp.ok) return asSignUp;
  return verify(JSON.stringify({ ...given, type: 'magiclink' }));
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    // The library answers bad JSON in the words that clients know.
    return null;
  }
}
