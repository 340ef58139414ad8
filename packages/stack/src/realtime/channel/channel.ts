/** One client's place on one topic. */
import type { SerializerVersion } from '../codec/client-message.ts';
import type { Connection } from '../socket/connection.ts';
import type { Claims } from '../token/verifier.ts';
import { Rate } from '../rate.ts';
import type { JoinConfig } from './join-config.ts';
import { Mailbox } from './mailbox.ts';
import { TOPIC_PREFIX, type Topic } from './topic.ts';

/** What a private channel may do; null is "not asked yet". All true on a public one. */
export type Rights = {
  broadcast: { read: boolean; write: boolean | null };
  presence: { read: boolean | null; write: boolean | null };
};

/**
 * joining: asked for, being checked, hears nothing
 * joined:  on its topic
 * closed:  left, replaced, refused, or its socket is gone; nothing may be sent for it any more
 */
export type ChannelState = 'joining' | 'joined' | 'closed';

export class Channel {
  readonly connection: Connection;
  readonly version: SerializerVersion;
  /** With the prefix. */
  readonly name: string;
  readonly joinRef: string | null;
  readonly config: JoinConfig;
  readonly mailbox: Mailbox;
  /** What the client sends. */
  readonly events: Rate;
  state: ChannelState = 'joining';
  topic: Topic | null = null;
  claims: Claims;
  /** The token that the claims were read from; null for the socket's own key. */
  token: string | null;
  rights: Rights = publicRights();
  /** Key under which it tracks itself, once it does. */
  presenceKey: string | null;
  presenceIsEnabled: boolean;
  #held: Buffer[] | null = null;
  /** Calls of track and untrack in the window that ends at `resetAtMs`. */
  presenceCalls = { count: 0, resetAtMs: 0 };

  constructor(
    connection: Connection,
    join: { name: string; joinRef: string | null; config: JoinConfig; eventsPerSecond: number },
    onFailure: (channel: Channel, error: unknown) => void,
  ) {
    this.connection = connection;
    this.version = connection.version;
    this.name = join.name;
    this.joinRef = join.joinRef;
    this.config = join.config;
    this.claims = connection.claims;
    this.token = join.config.accessToken;
    this.presenceKey = join.config.presence.key;
    this.presenceIsEnabled = join.config.presence.isEnabled;
    this.events = new Rate(join.eventsPerSecond);
    this.mailbox = new Mailbox((error) => onFailure(this, error));
  }

  /** The topic without its prefix, as policies and people know it. */
  get subTopic(): string {
    return this.name.slice(TOPIC_PREFIX.length);
  }

  /** Keeps what the topic says until {@link release}, while the past is being looked up. */
  hold(): void {
    this.#held = [];
  }

  /** Writes what was kept, and from now on everything at once. */
  release(): void {
    const held = this.#held;
    this.#held = null;
    for (const frames of held ?? []) this.connection.write(frames);
  }

  /** Part of {@link Listener}: frames for everyone on the topic. */
  write(frames: Buffer): void {
    if (this.#held === null) this.connection.write(frames);
    else this.#held.push(frames);
  }

  /** Sends a message for this channel alone. `payload` is JSON text. */
  push(event: string, payload: string, ref: string | null = null): void {
    this.connection.send({ joinRef: this.joinRef, ref, topic: this.name, event, payload });
  }

  /** Answers a message that came for this channel. */
  reply(ref: string | null, status: 'ok' | 'error', response: unknown = {}): void {
    this.connection.reply({ joinRef: this.joinRef, ref, topic: this.name }, status, response);
  }

  /** A `system` message: what a part of the server has to say about this channel. */
  system(extension: 'system' | 'postgres_changes', status: 'ok' | 'error', message: string): void {
    const payload = { extension, status, message, channel: this.subTopic };
    this.push('system', JSON.stringify(payload));
  }
}

/** On a public topic everyone may do everything. */
export function publicRights(): Rights {
  return { broadcast: { read: true, write: true }, presence: { read: true, write: true } };
}
