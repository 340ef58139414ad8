import type { GatewayAddress } from './gateway.worker.ts';
import { offer } from './worker.ts';

/** Someone who has an account. */
const PERSON = { email: 'ann@bench.homeroom.test', password: 'correct horse battery staple' };

let ask: (path: string) => Promise<Response> = () => Promise.reject(new Error('Open first'));
let timer: NodeJS.Timeout | undefined;
let pending = new Set<Promise<void>>();
let [done, failed] = [0, 0];

async function signIn(): Promise<void> {
  const response = await ask('token?grant_type=password').catch(() => null);
  await response?.arrayBuffer();
  if (response?.ok) done += 1;
  else failed += 1;
}

/** People who sign in, one after another, whether or not the last one has been let in. */
const tasks = {
  async open({ apiUrl, publishableKey }: GatewayAddress): Promise<void> {
    ask = (path) =>
      fetch(`${apiUrl}/auth/v1/${path}`, {
        method: 'POST',
        headers: { apikey: publishableKey, 'content-type': 'application/json' },
        body: JSON.stringify(PERSON),
      });
    const response = await ask('signup');
    if (!response.ok) throw new Error(`Not signed up: ${await response.text()}`);
  },

  start(perSecond: number): void {
    [done, failed] = [0, 0];
    timer = setInterval(() => {
      const one = signIn().finally(() => pending.delete(one));
      pending.add(one);
    }, 1000 / perSecond);
  },

  /** Gives how many were let in, and how many were not. */
  async stop(): Promise<{ done: number; failed: number }> {
    clearInterval(timer);
    const last = pending;
    pending = new Set();
    await Promise.all(last);
    return { done, failed };
  },
};

export type SignInTasks = typeof tasks;

offer(tasks);
