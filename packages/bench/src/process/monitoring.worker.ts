import {
  createApi,
  createMonitor,
  TRPC_ENDPOINT,
  type Api,
  type Monitor,
} from '@homeroom/api/server';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { offer } from './worker.ts';

/** More calls a minute than a benchmark makes. */
const NO_LIMIT = 1_000_000_000;
/** Calls that are under way at once. */
const CONCURRENCY = 8;
/** Each some tens of ms: what else the machine does is alike for all of a round. */
const CALLS_OF_A_LOT = 100;

/** CPU time per call, µs, of one round's lots: metrics on, and twice off. */
export type Round = { on: number; off: number; offAgain: number };

/** CPU time, µs, of what metrics are made of. */
export type Parts = { count: number; write: number; scrape: number };

/** A round's lots, in each order that they can have. */
const ORDERS: readonly (readonly (keyof Round)[])[] = [
  ['on', 'off', 'offAgain'],
  ['on', 'offAgain', 'off'],
  ['off', 'on', 'offAgain'],
  ['off', 'offAgain', 'on'],
  ['offAgain', 'on', 'off'],
  ['offAgain', 'off', 'on'],
];

let api: Api | undefined;
let monitor: Monitor | undefined;
let isOn = false;
let request = () => new Request('http://bench.test');

async function call(api: Api): Promise<void> {
  const response = await api.trpc(request(), null);
  if (!response.ok) throw new Error(await response.text());
  await response.text();
}

/** CPU time of this process for each of `count` pieces of work, µs. */
async function cpuOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function lot(api: Api): Promise<number> {
  let left = CALLS_OF_A_LOT;
  const worker = async () => {
    while (left-- > 0) await call(api);
  };
  return cpuOf(CALLS_OF_A_LOT, () => Promise.all(Array.from({ length: CONCURRENCY }, worker)));
}

function opened(): { api: Api; monitor: Monitor } {
  if (!api || !monitor) throw new Error('Open first');
  return { api, monitor };
}

/** One API, whose monitor is switched on and off: the same code, connections and memory. */
const tasks = {
  open({ url, userId }: { url: string; userId: string }): void {
    api = createApi(
      {
        ...{ supabaseUrl: 'http://127.0.0.1:1', publishableKey: 'unused', jwtSecret: JWT_SECRET },
        ...{ databaseUrl: url, poolSize: CONCURRENCY, logLevel: 'silent' as const },
        rateLimits: { query: NO_LIMIT, mutation: NO_LIMIT },
      },
      {
        monitor: {
          called: (...facts) => isOn && opened().monitor.called(...facts),
          reported: () => undefined,
          metrics: () => opened().monitor.metrics(),
          write: () => opened().monitor.write(),
          close: () => undefined,
        },
      },
    );
    monitor = createMonitor(api.db, 'bench', api.log);
    const address = `http://bench.test${TRPC_ENDPOINT}/notifications.unreadCount`;
    const headers = { authorization: `Bearer ${tokenOf(userId)}` };
    request = () => new Request(address, { headers });
  },

  /** `rounds` rounds, each with its lots in an order of its own by chance. */
  async measure({ rounds }: { rounds: number }): Promise<Round[]> {
    const { api } = opened();
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const times: Round = { on: 0, off: 0, offAgain: 0 };
      for (const which of ORDERS[Math.floor(Math.random() * ORDERS.length)] ?? []) {
        isOn = which === 'on';
        times[which] = await lot(api);
      }
      measured.push(times);
    }
    return measured;
  },

  /** CPU time, µs, of the parts by themselves: counting a call, writing what was counted, a scrape. */
  async measureParts({ times }: { times: number }): Promise<Parts> {
    const { monitor } = opened();
    const counted = times * 1_000;
    const again = (work: () => Promise<unknown>) =>
      cpuOf(times, async () => {
        for (let time = 0; time < times; time += 1) await work();
      });
    return {
      count: await cpuOf(counted, () => {
        for (let time = 0; time < counted; time += 1) {
          monitor.called('notifications.unreadCount', time % 40, null);
        }
        return Promise.resolve();
      }),
      write: await again(() => monitor.write()),
      scrape: await again(() => monitor.metrics()),
    };
  },
};

export type MonitoringTasks = typeof tasks;

offer(tasks, async () => {
  monitor?.close();
  await api?.close();
});
