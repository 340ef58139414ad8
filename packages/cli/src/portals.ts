import type { MailServer, Settings, SupabaseProject } from './settings.ts';
import { claimPort } from './ports.ts';
import { inRepository } from './repository.ts';
import { ServerProcess } from './child-process.ts';

/** The two portals, by the name of their folder in apps/. */
export const portalNames = ['student', 'instructor'] as const;
export type PortalName = (typeof portalNames)[number];

/** Addresses of both portals, without a trailing slash. */
export type PortalUrls = Record<PortalName, string>;

const servePortal = inRepository('packages/cli/src/serve-portal.ts');

const portVariables = { student: 'STUDENT_PORT', instructor: 'INSTRUCTOR_PORT' } as const;

/**
 * Makes sure that both portals' ports are free.
 * @throws PortTakenError which names the variable.
 */
export async function claimPortalPorts(settings: Settings): Promise<Record<PortalName, number>> {
  const student = await claimPort(settings.studentPort, portVariables.student, settings.host);
  const instructor = await claimPort(
    settings.instructorPort,
    portVariables.instructor,
    settings.host,
  );
  return { student, instructor };
}

/** The addresses that a person opens. */
export function portalUrls(ports: Record<PortalName, number>): PortalUrls {
  return {
    student: `http://localhost:${ports.student}`,
    instructor: `http://localhost:${ports.instructor}`,
  };
}

/** What it takes to start one portal. */
export type PortalOptions = {
  name: PortalName;
  /** `built` serves the production build; `dev` has hot reload. */
  mode: 'built' | 'dev';
  host: string;
  port: number;
  urls: PortalUrls;
  project: SupabaseProject;
  /** What certificates are signed with. */
  credentialKeys: string;
  /** What sends mails; null: nothing does. */
  mail: MailServer | null;
  onLine?(line: string): void;
};

/** Starts a portal and waits until it answers. */
export async function startPortal(options: PortalOptions): Promise<ServerProcess> {
  const { name, mode, host, port, urls, project, credentialKeys, mail, onLine } = options;
  const portal = new ServerProcess({
    name: `${name} portal`,
    cwd: inRepository('apps', name),
    script:
      mode === 'built'
        ? [servePortal, 'build']
        : [
            'node_modules/vite/bin/vite.js',
            'dev',
            '--host',
            host,
            '--port',
            `${port}`,
            '--strictPort',
          ],
    env: {
      ...project,
      ...mail,
      HOST: host,
      PORT: `${port}`,
      ORIGIN: urls[name],
      PUBLIC_STUDENT_URL: urls.student,
      PUBLIC_INSTRUCTOR_URL: urls.instructor,
      CREDENTIAL_KEYS: credentialKeys,
    },
    onLine,
  });
  try {
    await portal.answering(`http://${host}:${port}/health`);
  } catch (error) {
    await portal.stop();
    throw error;
  }
  return portal;
}
