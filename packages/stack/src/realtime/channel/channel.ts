/** One client's place on one topic. */
import type { SerializerVersion } from '../codec/client-message.ts';
import type { SharedFrame } from '../codec/shared-frame.ts';
import type { Connection } from '../socket/connection.ts';
import type { Claims } from '../token/verifier.ts';
import { joinFrames } from './audience.ts';
import type { JoinConfig } from './join-config.ts';
import { Mailbox } from './mailbox.ts';
import { TOPIC_PREFIX, type Topic } from './topic.ts';

/** What a private channel may do; null is "not asked yet". On a public one all but keeping. */
export type Rights = {
  broadcast: { read: boolean; write: boolean | null; persist: boolean | null };
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
  state: ChannelState = 'joining';
  topic: Topic | null = null;
  claims: Claims;
  /** The token that the claims were read from; null for the socket's own key. */
  token: string | null;
  /** A newer one that came too soon; it is used once `nextTokenAtMs` has come. */
  waitingToken: string | null = null;
  nextTokenAtMs = 0;
  rights: Rights = publicRights();
  /** Key under which it tracks itself, once it does. */
  presenceKey: string | null;
  presenceIsEnabled: boolean;
  /** What came while the past was being looked up; null when it goes out at once. */
  #held: SharedFrame[] | null = null;
  /** Ids of the messages that it got from the past; null if it asked for none. */
  #replayed: ReadonlySet<string> | null = null;
  /** Calls of track and untrack in the window that ends at `resetAtMs`. */
  presenceCalls = { count: 0, resetAtMs: 0 };

  constructor(
    connection: Connection,
    join: { name: string; joinRef: string | null; config: JoinConfig },
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

  /**
   * Writes what was kept, and from now on everything at once. A message that was replayed isn't
   * written again, however late the log tells of it.
   */
  release(replayed: ReadonlySet<string>): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#replayed = replayed.size === 0 ? null : replayed;
    this.take(held);
  }

  /** Part of {@link Listener}. */
  get isChoosy(): boolean {
    return this.#held !== null || this.#replayed !== null;
  }

  /** Part of {@link Listener}: messages for everyone on the topic. */
  take(frames: readonly SharedFrame[]): void {
    if (this.#held !== null) {
      this.#held.push(...frames);
      return;
    }
    const wanted = frames.filter(({ id }) => id === null || this.#replayed?.has(id) !== true);
    const bytes = joinFrames(wanted, this.version);
    if (bytes !== null) this.connection.write(bytes);
  }

  /** Part of {@link Listener}: the frames of messages for everyone on the topic. */
  write(frames: Buffer): void {
    this.connection.write(frames);
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

/** On a public topic everyone may do everything, and nothing is kept. */
export function publicRights(): Rights {
  return {
    broadcast: { read: true, write: true, persist: false },
    presence: { read: true, write: true },
  };
}
