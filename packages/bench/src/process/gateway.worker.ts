import { startGateway } from '@homeroom/stack/testing';
import { JWT_SECRET } from '../lab/token.ts';
import type { Place } from '../lab/lab.ts';
import { offer } from './worker.ts';

/** Where a gateway answers. */
export type GatewayAddress = { apiUrl: string; publishableKey: string };

let gateway: Awaited<ReturnType<typeof startGateway>> | undefined;

/** The stack's Auth, REST and Realtime on one database, in a process of its own. */
const tasks = {
  /** On any free port, unless one is given. */
  async open({
    url,
    adminUrl,
    ...settings
  }: Place & { port?: number; confirmEmail?: boolean }): Promise<GatewayAddress> {
    gateway = await startGateway({ dbUrl: url, adminUrl, jwtSecret: JWT_SECRET, ...settings });
    return { apiUrl: gateway.apiUrl, publishableKey: gateway.publishableKey };
  },
};

export type GatewayTasks = typeof tasks;

offer(tasks, () => gateway?.stop());
