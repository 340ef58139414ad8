import fc from 'fast-check';
import type { ActivityApi } from '../activity/api.ts';
import type { RealtimeApi } from '../connection/api.ts';
import { connectionOver, type Connection } from '../connection/connection.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { FakePage } from './fake-page.ts';
import { ModelNetwork } from './model-network.ts';
import { ModelTopics } from './model-topics.ts';
import {
  NETWORK_HAPPENINGS,
  OFTEN_ON_THE_NETWORK,
  storiesOf,
  type NetworkStage,
} from './network-happenings.ts';
import { notModelled } from './not-modelled.ts';

/** Long enough for every retry, ms of the fake clock. */
const UNTIL_ALL_IS_DONE_MS = 60_000;

/** A server's part in a story: its state, and what changes it. */
export type Model = {
  api: Partial<RealtimeApi & ActivityApi>;
  /** Something changes; `n` picks what. */
  change(n: number): void;
  /** Tells at least one event on every topic: it shows what was lost before it. */
  changeAll(): void;
};

/** A store under test. */
export type Subject = {
  store: { subscribe(run: () => void): () => void };
  /** Someone at the screen does something; `n` picks what. */
  act?(n: number): void;
  /** Throws when the store isn't what the model is. */
  compare(): void;
};

type World<M> = { model: M; subjects: Subject[] };

const names = [...Object.keys(NETWORK_HAPPENINGS), 'changed', 'acted', 'expired'] as (
  keyof typeof NETWORK_HAPPENINGS | 'changed' | 'acted' | 'expired'
)[];
const stories = storiesOf(names, { ...OFTEN_ON_THE_NETWORK, changed: 14, acted: 3 });

/**
 * Checks that every store ends equal to the model's state, whatever the network, the page and the
 * person at the screen have done in which order.
 */
export async function expectConvergence<M extends Model>(
  makeModel: (topics: ModelTopics, userId: string) => M,
  makeSubjects: (connection: Connection, model: M) => Subject[],
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const clock = new FakeClock();
      const page = new FakePage();
      const network = new ModelNetwork();
      const topics = new ModelTopics(network, clock);
      const userId = 'ada';
      const model = makeModel(topics, userId);
      const api = { ...notModelled, ...model.api, live: topics.live };
      const connection = connectionOver({ userId, transport: network, page, clock, api });
      const world = { model, subjects: makeSubjects(connection, model) };
      const { stage, showAll } = stageOf(world, { clock, page, network });
      showAll();
      for (const { what, n } of story) {
        if (what === 'changed') model.change(n);
        else if (what === 'acted') world.subjects[n % world.subjects.length]?.act?.(n);
        else if (what === 'expired') topics.forgetAllBut(n % 4);
        else await NETWORK_HAPPENINGS[what](stage, n);
        await settled();
      }
      if (!page.isVisible()) page.send('shown');
      if (!page.isOnline()) page.send('online');
      network.heal();
      showAll();
      await settled();
      model.changeAll();
      await clock.advance(UNTIL_ALL_IS_DONE_MS);
      for (const { compare } of world.subjects) compare();
      connection.close();
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 150) },
  );
}

function stageOf<M>(
  { subjects }: World<M>,
  { clock, page, network }: { clock: FakeClock; page: FakePage; network: ModelNetwork },
) {
  const stops = new Map<Subject, () => void>();
  const show = (subject: Subject) => {
    if (!stops.has(subject))
      stops.set(
        subject,
        subject.store.subscribe(() => undefined),
      );
  };
  const stage: NetworkStage = {
    network,
    advance: (ms) => clock.advance(ms),
    sleep: (ms) => clock.jump(ms),
    signal: (signal) => page.send(signal),
    toggle(n) {
      const subject = subjects[n % subjects.length] as Subject;
      if (!stops.has(subject)) return show(subject);
      stops.get(subject)?.();
      stops.delete(subject);
    },
  };
  return { stage, showAll: () => subjects.forEach(show) };
}

/** What a store shows at this moment. */
export function shownBy<T>(store: { subscribe(run: (state: T) => void): () => void }): T {
  let shown: T | undefined;
  store.subscribe((state) => (shown = state))();
  return shown as T;
}
