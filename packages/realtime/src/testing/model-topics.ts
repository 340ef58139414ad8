import type { LiveApi, LiveEvent, Since } from '../connection/api.ts';
import type { Clock } from '../connection/clock.ts';
import type { ModelNetwork } from './model-network.ts';

/** Events in one answer of `live.since`; few, so that tests see several pages. */
const SINCE_MAX = 4;

/** Numbered topics as the database keeps them, and calls that read beside their numbers. */
export class ModelTopics {
  readonly #network: ModelNetwork;
  readonly #clock: Clock;
  readonly #heads = new Map<string, number>();
  readonly #events = new Map<string, LiveEvent[]>();

  constructor(network: ModelNetwork, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
  }

  get names(): string[] {
    return [...this.#heads.keys()];
  }

  /** Tells an event on a topic: kept, numbered, and sent. */
  publish(topic: string, event: string, data: unknown): void {
    const seq = (this.#heads.get(topic) ?? 0) + 1;
    this.#heads.set(topic, seq);
    const told = { seq, event, at: this.#clock.now(), data };
    this.#events.set(topic, [...(this.#events.get(topic) ?? []), told]);
    this.#network.broadcast(topic, structuredClone(told));
  }

  /** Retention removes all but the newest events of every topic. */
  forgetAllBut(count: number): void {
    if (count === 0) return;
    for (const [topic, events] of this.#events) this.#events.set(topic, events.slice(-count));
  }

  /** A call of the API, over the network; what it gives is a copy, as of the moment it is done. */
  call<Input, Output>(perform: (input: Input) => Output) {
    const send = (input: Input): Promise<Output> =>
      this.#network.call(() => structuredClone(perform(input)));
    return { query: send, mutate: send };
  }

  /** A call that reads data with the number of its topic. */
  snapshot<Input, Data>(topic: string, read: (input: Input) => Data) {
    return this.call((input: Input) => ({
      data: read(input),
      cursor: { topic, seq: this.#heads.get(topic) ?? 0 },
    }));
  }

  get live(): LiveApi['live'] {
    return {
      epoch: this.call(() => ({ epoch: 0 })),
      since: this.call(({ topic, seq }: { topic: string; seq: number }) => this.#since(topic, seq)),
    };
  }

  #since(topic: string, seq: number): Since {
    const events = this.#events.get(topic) ?? [];
    const head = this.#heads.get(topic) ?? 0;
    const oldest = events[0]?.seq ?? head + 1;
    if (seq + 1 < oldest && seq < head) return { status: 'too-old', head, epoch: 0 };
    const missed = events.filter((event) => event.seq > seq).slice(0, SINCE_MAX);
    return { status: 'events', events: missed, head, epoch: 0 };
  }
}
