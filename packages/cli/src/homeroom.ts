import { migrate, pendingMigrations } from '@homeroom/db/migrate';
import { jobs } from '@homeroom/db';
import { seed } from '@homeroom/db/seed';
import { machineLimits, type Stack, startStack } from '@homeroom/stack';
import { buildPortals } from './build.ts';
import type { ServerProcess } from './child-process.ts';
import { credentialKeysOf } from './credential-keys.ts';
import { claimPort } from './ports.ts';
import {
  claimPortalPorts,
  portalNames,
  type PortalUrls,
  portalUrls,
  startPortal,
} from './portals.ts';
import { acquireRunLock } from './run-lock.ts';
import type { MailServer, Settings, SupabaseProject } from './settings.ts';

/** A running Homeroom. */
export type Homeroom = {
  urls: PortalUrls;
  project: SupabaseProject;
  /** The local stack; null when a Supabase project of one's own is used. */
  stack: Stack | null;
  /** Resolves with a sentence when a part stops that nobody asked to stop. */
  failure: Promise<string>;
  /** Stops everything that was started, in the opposite order. */
  stop(): Promise<void>;
};

/** How Homeroom is started. */
export type StartOptions = {
  settings: Settings;
  mode: 'built' | 'dev';
  /** Fill an empty database with the demo school. */
  demoData: boolean;
  /** A new step begins: `Starting the database`. */
  onStep(title: string): void;
  /** What happens within the step. */
  onProgress(message: string): void;
  /** A line that a portal printed. */
  onLine?(line: string): void;
};

/**
 * Starts the stack, brings the database up to date, builds and serves both portals.
 * When a step fails, what was started before is stopped again.
 * @throws PortTakenError, AlreadyRunningError, CommandFailedError: each says what to do.
 */
export async function startHomeroom(options: StartOptions): Promise<Homeroom> {
  const { settings, mode, onStep, onLine } = options;
  await using started = new AsyncDisposableStack();
  started.use(await acquireRunLock(settings.dataDir));
  const ports = await claimPortalPorts(settings);
  const urls = portalUrls(ports);

  const { stack, project } = await openProject(options, urls, started);

  if (mode === 'built') {
    onStep('Building the portals');
    await buildPortals();
  }
  onStep('Starting the portals');
  const credentialKeys = settings.credentialKeys ?? (await credentialKeysOf(settings.dataDir));
  const mail = settings.mail ?? (stack && localMail(stack));
  const portals: ServerProcess[] = await Promise.all(
    portalNames.map(async (name) => {
      const portal = await startPortal({
        ...{
          name,
          mode,
          host: settings.host,
          port: ports[name],
          urls,
          project,
          credentialKeys,
          mail,
        },
        onLine: (line) => onLine?.(`${name}: ${line}`),
      });
      started.defer(() => portal.stop());
      return portal;
    }),
  );

  const running = started.move();
  return {
    urls,
    project,
    stack,
    failure: Promise.race(portals.map((portal) => portal.failure())),
    stop: () => running.disposeAsync(),
  };
}

async function openProject(
  { settings, demoData, onStep, onProgress }: StartOptions,
  urls: PortalUrls,
  started: AsyncDisposableStack,
): Promise<{ stack: Stack | null; project: SupabaseProject }> {
  if (settings.project !== null) {
    onStep('Looking at the Supabase project');
    const pending = await pendingMigrations(settings.project.DATABASE_URL);
    if (pending.length > 0) {
      throw new Error(
        `The project's database lacks ${pending.length} migration(s), the first is ${pending[0]}. Bring it up to date with: pnpm db migrate`,
      );
    }
    return { stack: null, project: settings.project };
  }

  onStep('Starting the local stack');
  await claimPort(settings.postgresPort, 'POSTGRES_PORT', settings.host);
  await claimPort(settings.supabasePort, 'SUPABASE_PORT', settings.host);
  const stack = await startStack({
    dataDir: settings.dataDir,
    apiPort: settings.supabasePort,
    dbPort: settings.postgresPort,
    host: settings.host,
    siteUrl: urls.student,
    redirectUrls: [`${urls.student}/**`, `${urls.instructor}/**`],
    jobs,
    realtimeLimits: machineLimits,
    onProgress,
    async prepare(dbUrl) {
      onStep('Bringing the database up to date');
      await migrate(dbUrl, { onProgress });
      if (demoData) {
        onStep('Filling in the demo school');
        await seed({ dbUrl, onProgress });
      }
      onStep('Opening the local stack');
    },
  });
  started.defer(() => stack.stop());

  return { stack, project: localProject(stack) };
}

/** The stack's mail catcher. */
function localMail(stack: Stack): MailServer {
  return { SMTP_URL: stack.smtpUrl, MAIL_FROM: 'Homeroom <homeroom@localhost>' };
}

function localProject(stack: Stack): SupabaseProject {
  return {
    PUBLIC_SUPABASE_URL: stack.apiUrl,
    PUBLIC_SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
    SUPABASE_SECRET_KEY: stack.secretKey,
    SUPABASE_JWT_SECRET: stack.jwtSecret,
    DATABASE_URL: stack.dbUrl,
  };
}
