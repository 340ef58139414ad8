import { RealtimeError } from '../connection/errors.ts';
import type { SocketState } from '../connection/status.ts';
import { Topic, type Follower, type TopicWorld } from './topic.ts';

/** Topics per tab. Hosted plans count each join and each delivery; a page needs two or three. */
export const TOPICS_MAX = 6;
/** How long a topic stays joined after its last follower, ms: the next page often wants it too. */
const LINGER_MS = 5_000;

/** The tab's topics: each has one channel, however many follow it. */
export class TopicRegistry {
  readonly #world: TopicWorld;
  readonly #topics = new Map<string, Topic>();
  readonly #lingering = new Map<string, () => void>();

  constructor(world: TopicWorld) {
    this.#world = world;
  }

  get all(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  /** Gives a topic, to be followed at once. Throws when the tab has too many already. */
  open(name: string): Topic {
    this.#lingering.get(name)?.();
    this.#lingering.delete(name);
    return this.#topics.get(name) ?? this.#add(name);
  }

  unfollow(topic: Topic, follower: Follower): void {
    topic.unfollow(follower);
    if (topic.isFollowed || this.#lingering.has(topic.name)) return;
    const cancel = this.#world.clock.after(LINGER_MS, () => this.#drop(topic));
    this.#lingering.set(topic.name, cancel);
  }

  socketChanged(state: SocketState): void {
    const type = state === 'open' ? 'socket-opened' : 'socket-lost';
    for (const topic of this.all) topic.dispatch({ type });
  }

  close(): void {
    for (const topic of this.all) this.#drop(topic);
  }

  #add(name: string): Topic {
    const [longestUnused] = this.#lingering.keys();
    if (this.#topics.size >= TOPICS_MAX && longestUnused) {
      const topic = this.#topics.get(longestUnused);
      if (topic) this.#drop(topic);
    }
    if (this.#topics.size >= TOPICS_MAX) {
      throw new RealtimeError({
        code: 'TOO_MANY_TOPICS',
        message: `Can't follow ${name}: this tab follows ${TOPICS_MAX} topics already (${[...this.#topics.keys()].join(', ')}). Unsubscribe from a store that isn't shown, or put both on one topic.`,
        retryable: false,
      });
    }
    const topic = new Topic(name, this.#world);
    this.#topics.set(name, topic);
    this.#world.transport.open();
    return topic;
  }

  #drop(topic: Topic): void {
    this.#lingering.get(topic.name)?.();
    this.#lingering.delete(topic.name);
    this.#topics.delete(topic.name);
    topic.dispatch({ type: 'abandoned' });
    this.#world.changed();
  }
}
