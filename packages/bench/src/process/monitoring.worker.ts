import { createApi, TRPC_ENDPOINT, type Api, type Monitor } from '@homeroom/api/server';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { offer } from './worker.ts';

/** More calls a minute than a benchmark makes. */
const NO_LIMIT = 1_000_000_000;
/** Calls that are under way at once. */
const CONCURRENCY = 8;

const nothing = () => undefined;
/** Counts nothing. */
const blind: Monitor = {
  called: nothing,
  reported: nothing,
  metrics: () => Promise.resolve({ contentType: '', text: '' }),
  write: () => Promise.resolve(),
  close: nothing,
};

const apis: Partial<Record<'watched' | 'blind', Api>> = {};
let token = '';

async function call(api: Api): Promise<void> {
  const url = `http://bench.test${TRPC_ENDPOINT}/notifications.unreadCount`;
  const headers = { authorization: `Bearer ${token}` };
  const response = await api.trpc(new Request(url, { headers }), null);
  if (!response.ok) throw new Error(await response.text());
  await response.text();
}

/** The same API twice, with its monitor and without. */
const tasks = {
  open({ url, userId }: { url: string; userId: string }): void {
    token = tokenOf(userId);
    const settings = {
      ...{ supabaseUrl: 'http://127.0.0.1:1', publishableKey: 'unused', jwtSecret: JWT_SECRET },
      ...{ databaseUrl: url, poolSize: CONCURRENCY, logLevel: 'silent' as const },
      rateLimits: { query: NO_LIMIT, mutation: NO_LIMIT },
    };
    apis.watched = createApi(settings);
    apis.blind = createApi(settings, { monitor: blind });
  },

  /** CPU time of this process for a call, µs; what the monitor writes meanwhile included. */
  async cpuOf({ which, calls }: { which: 'watched' | 'blind'; calls: number }): Promise<number> {
    const api = apis[which];
    if (!api) throw new Error('Open first');
    const before = process.cpuUsage();
    let left = calls;
    const work = async () => {
      while (left-- > 0) await call(api);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  },
};

export type MonitoringTasks = typeof tasks;

offer(tasks, async () => {
  await Promise.all([apis.watched?.close(), apis.blind?.close()]);
});
