/** The topics that somebody has joined. Public and private topics of one name are two worlds. */
import { SharedFrame } from '../codec/shared-frame.ts';
import { encodeMessage } from '../codec/server-message.ts';
import { Presence } from '../presence/presence.ts';
import type { Flusher } from '../socket/flusher.ts';
import { Audience } from './audience.ts';
import type { Channel } from './channel.ts';

/** Every topic on the wire begins with this. */
export const TOPIC_PREFIX = 'realtime:';

type TopicParts = {
  flusher: Flusher;
  nextRef: () => string;
  /** Told after messages were delivered, and how often. */
  onBroadcast: (topic: Topic, deliveries: number) => void;
  onPresence: (deliveries: number) => void;
};

/** One topic and who takes part. `name` has the prefix. */
export class Topic {
  readonly name: string;
  readonly isPrivate: boolean;
  /** Who may hear broadcasts. */
  readonly broadcasts: Audience<Channel>;
  /** Who may hear who is present. */
  readonly presences: Audience<Channel>;
  readonly presence: Presence<Channel>;
  readonly members = new Set<Channel>();
  readonly #flusher: Flusher;
  #presenceWaits = false;

  constructor(name: string, isPrivate: boolean, parts: TopicParts) {
    this.name = name;
    this.isPrivate = isPrivate;
    this.#flusher = parts.flusher;
    this.broadcasts = new Audience(parts.flusher, (count) => parts.onBroadcast(this, count));
    this.presences = new Audience(parts.flusher, parts.onPresence);
    this.presence = new Presence(parts.nextRef);
  }

  /** Tells who came and went, at the end of this turn. */
  presenceChanged(): void {
    if (this.#presenceWaits || !this.presence.hasChanged) return;
    this.#presenceWaits = true;
    this.#flusher.add(this);
  }

  /** Puts the presence diff so far on its way, before someone joins who will get the full state. */
  flush(): void {
    this.#presenceWaits = false;
    if (!this.presence.hasChanged) return;
    const payload = JSON.stringify(this.presence.takeDiff());
    const envelope = {
      joinRef: null,
      ref: null,
      topic: this.name,
      event: 'presence_diff',
      payload,
    };
    this.presences.send(new SharedFrame((version) => encodeMessage(version, envelope)));
    this.presences.flush();
  }
}

/** All topics of a server. */
export class Topics {
  readonly #public = new Map<string, Topic>();
  readonly #private = new Map<string, Topic>();
  readonly #parts: TopicParts;
  #lastRef = 0;

  constructor(parts: Omit<TopicParts, 'nextRef'>) {
    this.#parts = { ...parts, nextRef: () => this.#nextRef() };
  }

  /** How many there are. */
  get size(): number {
    return this.#public.size + this.#private.size;
  }

  /** The topic, if anyone has joined it. */
  find(name: string, isPrivate: boolean): Topic | undefined {
    return (isPrivate ? this.#private : this.#public).get(name);
  }

  /** Makes the channel a member; the topic begins with its first. */
  enter(channel: Channel, name: string, isPrivate: boolean): Topic {
    const topics = isPrivate ? this.#private : this.#public;
    let topic = topics.get(name);
    if (topic === undefined) {
      topic = new Topic(name, isPrivate, this.#parts);
      topics.set(name, topic);
    }
    topic.members.add(channel);
    return topic;
  }

  /** Ends the membership, and the topic with its last. */
  exit(channel: Channel, topic: Topic): void {
    topic.members.delete(channel);
    topic.broadcasts.remove(channel);
    topic.presences.remove(channel);
    topic.presence.untrack(channel);
    topic.presenceChanged();
    if (topic.members.size > 0) return;
    (topic.isPrivate ? this.#private : this.#public).delete(topic.name);
  }

  /** Unique on this server, and not to be mistaken for one of an earlier run. */
  #nextRef(): string {
    this.#lastRef += 1;
    return `${RUN}${this.#lastRef.toString(36)}`;
  }
}

const RUN = `F${Date.now().toString(36)}`;
