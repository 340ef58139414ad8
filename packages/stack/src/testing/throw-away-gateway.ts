import { type Project, type ProjectSettings, startProject } from '../gateway/project.ts';
import { generateKeys } from '../keys/keys.ts';
import type { LogEntry } from '../log.ts';
import { machineLimits } from '../realtime/index.ts';

/** Auth, REST and Realtime of one database: addresses, keys, and its end. */
export type Gateway = Project;

/** What a gateway is started with. */
export type GatewayOptions = ProjectSettings & {
  /** Connection string of a bootstrapped database as role `postgres`. */
  dbUrl: string;
  /** The same as superuser. */
  adminUrl: string;
  /** 0, the default, for a free one. */
  port?: number;
  /** Signs access tokens; a new one by default. */
  jwtSecret?: string;
  onLog?(entry: LogEntry): void;
};

/**
 * Starts a gateway; many may share a cluster, one database each. Mails are kept in memory. Mails
 * and Realtime have no rates but those that are given: tests are in a hurry.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { dbUrl, adminUrl, port = 0, jwtSecret, onLog = () => undefined, ...settings } = options;
  const keys = await generateKeys();
  return startProject(
    { dbUrl, adminUrl, port, keys: { ...keys, ...(jwtSecret && { jwtSecret }) }, log: onLog },
    {
      mailIntervalSeconds: 0,
      ...settings,
      realtimeLimits: { ...machineLimits, ...settings.realtimeLimits },
    },
  );
}
