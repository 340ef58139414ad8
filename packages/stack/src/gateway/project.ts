/** Auth, REST, Realtime and mail of one database, behind one port. */
import { startAuthRest } from '../auth-rest/auth-rest.ts';
import type { KeySet } from '../keys/key-set.ts';
import type { Keys } from '../keys/keys.ts';
import type { Log } from '../log.ts';
import { openMailbox } from '../mail/mailbox.ts';
import { startSmtp } from '../mail/smtp.ts';
import {
  type RealtimeLimits,
  type RealtimeMetrics,
  startRealtimeServer,
} from '../realtime/index.ts';
import { openGateway } from './gateway.ts';

/** What of a project can be chosen. */
export type ProjectSettings = {
  host?: string;
  siteUrl?: string;
  redirectUrls?: string[];
  accessTokenSeconds?: number;
  /**
   * Public keys of access tokens that another signs (ES256, RS256, …), or the URL where they are;
   * beside the tokens of Auth, which are signed with the secret.
   */
  jwks?: KeySet;
  /** Whether new accounts must confirm their address first; as on hosted, yes by default. */
  confirmEmail?: boolean;
  /** Between two mails of one kind to one address: 1, as `supabase start`; hosted has 60. */
  mailIntervalSeconds?: number;
  /** Where mails are taken by SMTP; a free port unless told otherwise. */
  smtpPort?: number;
  /** What clients may do; those of a self-hosted Supabase where nothing else is said. */
  realtimeLimits?: Partial<RealtimeLimits>;
};

/** Where a project's parts are. */
export type ProjectPlace = {
  /** As role `postgres`. */
  dbUrl: string;
  /** As superuser; Auth's and REST's own roles log in with the same password. */
  adminUrl: string;
  port: number;
  mailFile?: string;
  keys: Keys;
  log: Log;
};

/** A project that answers. */
export type Project = Keys & {
  apiUrl: string;
  mailUrl: string;
  /** Takes mails of apps: `smtp://127.0.0.1:…`. */
  smtpUrl: string;
  stopRealtime(): Promise<void>;
  startRealtime(): Promise<void>;
  realtimeMetrics(): Promise<RealtimeMetrics | null>;
  stop(): Promise<void>;
};

/** Starts all parts; if one fails, those before it are stopped. @throws PortTakenError */
export async function startProject(
  place: ProjectPlace,
  settings: ProjectSettings = {},
): Promise<Project> {
  const { dbUrl, adminUrl, keys, log } = place;
  await using started = new AsyncDisposableStack();
  const mailbox = await openMailbox(place.mailFile);
  started.defer(() => mailbox.settled());
  const smtp = await startSmtp((mail) => mailbox.add(mail), settings.smtpPort);
  started.defer(() => smtp.stop());
  const authRest = await startAuthRest(
    {
      ...keys,
      jwks: settings.jwks,
      catalogUrl: dbUrl,
      authUrl: asRole(adminUrl, 'supabase_auth_admin'),
      restUrl: asRole(adminUrl, 'authenticator'),
      siteUrl: settings.siteUrl ?? 'http://localhost:3000',
      redirectUrls: settings.redirectUrls ?? [],
      accessTokenSeconds: settings.accessTokenSeconds ?? 3600,
      confirmEmail: settings.confirmEmail ?? true,
      mailIntervalSeconds: settings.mailIntervalSeconds ?? 1,
    },
    {
      onMail: (mail) => mailbox.add(mail),
      onFailure: (message) => log({ level: 'error', part: 'auth-rest', message }),
      onOutput: (message) => log({ level: 'info', part: 'auth-rest', message }),
    },
  );
  started.defer(() => authRest.close());
  const gateway = await openGateway({
    ...{ authRest, mailbox, port: place.port, host: settings.host ?? '127.0.0.1' },
    startRealtimeServer: () =>
      startRealtimeServer({
        ...{ adminUrl, ...keys, jwks: settings.jwks },
        ...{ limits: settings.realtimeLimits, onLog: log },
      }),
  });
  started.defer(() => gateway.stop());
  const running = started.move();
  return {
    ...keys,
    apiUrl: gateway.apiUrl,
    mailUrl: `${gateway.apiUrl}/mail`,
    smtpUrl: smtp.smtpUrl,
    stopRealtime: () => gateway.stopRealtime(),
    startRealtime: () => gateway.startRealtime(),
    realtimeMetrics: () => gateway.realtimeMetrics(),
    stop: () => running.disposeAsync(),
  };
}

function asRole(url: string, role: string): string {
  const changed = new URL(url);
  changed.username = role;
  return changed.href;
}
