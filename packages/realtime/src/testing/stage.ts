import { connectionOver, type Connection } from '../connection/connection.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { FakePage } from './fake-page.ts';
import { ModelNetwork } from './model-network.ts';
import { ModelServer } from './model-server.ts';
import { notModelled } from './not-modelled.ts';

/** A user's tab on a modelled network, with a modelled server at its other end. */
export type ModelStage = {
  clock: FakeClock;
  page: FakePage;
  network: ModelNetwork;
  server: ModelServer;
  connection: Connection;
};

/** Sets the stage; nothing goes through until `network.heal()` or single steps are told. */
export function modelStage({ userId = 'ada', now }: { userId?: string; now?: number } = {}) {
  const clock = new FakeClock({ now });
  const page = new FakePage();
  const network = new ModelNetwork();
  const server = new ModelServer(userId, network, clock);
  const api = { ...notModelled, ...server.api };
  const connection = connectionOver({ userId, transport: network, page, clock, api });
  return { clock, page, network, server, connection } satisfies ModelStage;
}

/** The same, with everything well from the beginning. */
export async function healthyStage(options?: Parameters<typeof modelStage>[0]) {
  const stage = modelStage(options);
  stage.network.heal();
  await settled();
  return stage;
}

/** Follows a store; `now` is what it shows, `past` all that it has shown. */
export function watch<T>(store: { subscribe(run: (state: T) => void): () => void }) {
  const past: T[] = [];
  const stop = store.subscribe((state) => past.push(state));
  return {
    past,
    stop,
    get now(): T {
      return past.at(-1) as T;
    },
  };
}

/** Resolves with the first state of a store that is as wanted. */
export function until<T>(
  store: { subscribe(run: (state: T) => void): () => void },
  isWanted: (state: T) => boolean,
): Promise<T> {
  return new Promise((resolve) => {
    const stop = store.subscribe((state) => {
      if (!isWanted(state)) return;
      queueMicrotask(() => stop());
      resolve(state);
    });
  });
}
