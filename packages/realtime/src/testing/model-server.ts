import type { Notification, NotificationEvents } from '@homeroom/api/contract';
import type {
  LiveApi,
  LiveEvent,
  NotificationFilters,
  NotificationsApi,
  Since,
} from '../connection/api.ts';
import type { Clock } from '../connection/clock.ts';
import { matches, unreadIn } from '../notifications/filters.ts';
import { inboxPlace, orderOf, type Place } from '../notifications/order.ts';
import { channelOf } from '../topic/channel.ts';
import type { ModelNetwork } from './model-network.ts';

/** Events in one answer of `live.since`; few, so that tests see several pages. */
const SINCE_MAX = 4;

/**
 * What the database and the API do for one user's notifications, in the plainest way: a list of
 * rows, a list of events, and answers read from them at one moment.
 */
export class ModelServer {
  readonly topic: string;
  readonly #network: ModelNetwork;
  readonly #clock: Clock;
  #rows: Notification[] = [];
  #events: LiveEvent[] = [];
  #made = 0;
  #epoch = 0;

  constructor(userId: string, network: ModelNetwork, clock: Clock) {
    this.topic = `user:${userId}`;
    this.#network = network;
    this.#clock = clock;
    network.allows = (channel) => channel === this.channel || !channel.startsWith(this.topic);
  }

  /** Where the events of the topic are sent. */
  get channel(): string {
    return channelOf(this.topic, this.#epoch);
  }

  get head(): number {
    return this.#events.at(-1)?.seq ?? 0;
  }

  get unreadCount(): number {
    return this.#rows.filter(unreadIn).length;
  }

  get ids(): string[] {
    return this.#rows.map(({ id }) => id);
  }

  /** The whole list that filters let through, in the order of its box. */
  list(filters: NotificationFilters): Notification[] {
    const { placeOf, compare } = orderOf(filters.box);
    return this.#rows
      .filter((row) => matches(filters, row))
      .sort((a, b) => compare(placeOf(a), placeOf(b)));
  }

  create(type: Notification['type'], minutesAgo = 0): void {
    this.#made += 1;
    const number = String(this.#made);
    const createdAt = this.#moment(this.#clock.now() - minutesAgo * 60_000);
    const notification: Notification = {
      id: `00000000-0000-4000-8000-${number.padStart(12, '0')}`,
      type,
      level: 'info',
      title: `Number ${number}`,
      message: '',
      data: {},
      courseId: null,
      relatedEntityType: null,
      relatedEntityId: null,
      count: 1,
      readAt: null,
      createdAt,
      expiresAt: null,
      archivedAt: null,
      snoozedUntil: null,
      listedAt: createdAt,
    };
    this.#rows.push(notification);
    this.#publish('notification.created', { notification, unreadDelta: 1 });
  }

  /** Another one is merged into it. */
  merge(id: string): void {
    this.#change(id, (row) => ({ ...row, count: row.count + 1, title: `${row.title} and more` }));
  }

  setRead(id: string, isRead: boolean): void {
    const readAt = this.#moment(this.#clock.now());
    this.#change(id, (row) => ({ ...row, readAt: isRead ? (row.readAt ?? readAt) : null }));
  }

  setArchived(id: string, isArchived: boolean): void {
    const now = this.#moment(this.#clock.now());
    this.#change(id, (row) =>
      isArchived
        ? { ...row, archivedAt: row.archivedAt ?? now, snoozedUntil: null }
        : { ...row, archivedAt: null },
    );
  }

  setSnoozed(id: string, until: string | null): void {
    const snoozedUntil = until === null ? null : this.#moment(Date.parse(until));
    this.#change(id, (row) => ({
      ...row,
      snoozedUntil,
      archivedAt: until === null ? row.archivedAt : null,
    }));
  }

  /** The job: what was snoozed until now comes back unread, on top. */
  wake(): void {
    const now = this.#moment(this.#clock.now());
    for (const { id, snoozedUntil } of this.list({ box: 'snoozed' })) {
      if (snoozedUntil === null || snoozedUntil > now) return;
      this.#change(id, (row) => ({ ...row, snoozedUntil: null, readAt: null, listedAt: now }));
    }
  }

  remove(id: string): void {
    const row = this.#rows.find((candidate) => candidate.id === id);
    if (!row) return;
    this.#rows = this.#rows.filter((other) => other !== row);
    this.#publish('notification.removed', { id, unreadDelta: 0 - unreadIn(row) });
  }

  markAllAsRead(through: Place): void {
    const readAt = this.#moment(this.#clock.now());
    const { placeOf, compare } = orderOf('inbox');
    const isMeant = (row: Notification) =>
      unreadIn(row) === 1 && compare(through, placeOf(row)) <= 0;
    const unreadDelta = -this.#rows.filter(isMeant).length;
    if (unreadDelta === 0) return;
    this.#rows = this.#rows.map((row) => (isMeant(row) ? { ...row, readAt } : row));
    const keyset = { createdAt: through.at, id: through.id };
    this.#publish('notifications.read', { through: keyset, readAt, unreadDelta });
  }

  /** Somebody, not this user, has lost the right to the topic. */
  move(withinMs: number): void {
    const left = this.channel;
    this.#epoch += 1;
    this.#network.tellMove(left, { epoch: this.#epoch, withinMs });
  }

  /** Retention removes all but the newest events. */
  forgetAllBut(count: number): void {
    if (count > 0) this.#events = this.#events.slice(-count);
  }

  since(seq: number): Since {
    const { head } = this;
    const epoch = this.#epoch;
    const oldest = this.#events[0]?.seq ?? head + 1;
    if (seq + 1 < oldest && seq < head) return { status: 'too-old', head, epoch };
    const events = this.#events.filter((event) => event.seq > seq).slice(0, SINCE_MAX);
    return { status: 'events', events, head, epoch };
  }

  /** The API, as the stores call it, over the network. */
  get api(): LiveApi & NotificationsApi {
    const call = <Input, Output>(perform: (input: Input) => Output) => {
      const send = (input: Input) => this.#network.call(() => structuredClone(perform(input)));
      return { query: send, mutate: send };
    };
    return {
      live: {
        epoch: call(() => ({ epoch: this.#epoch })),
        since: call(({ seq }: { seq: number }) => this.since(seq)),
      },
      notifications: {
        list: call((input: NotificationFilters & { cursor?: string; limit?: number }) =>
          this.#page(input),
        ),
        markAsRead: call(({ id }: { id: string }) => this.setRead(id, true)),
        markAsUnread: call(({ id }: { id: string }) => this.setRead(id, false)),
        markAllAsRead: call(({ through }: { through: { createdAt: string; id: string } }) =>
          this.markAllAsRead(inboxPlace(through)),
        ),
        archive: call(({ id }: { id: string }) => this.setArchived(id, true)),
        unarchive: call(({ id }: { id: string }) => this.setArchived(id, false)),
        snooze: call(({ id, until }: { id: string; until: string }) => this.setSnoozed(id, until)),
        unsnooze: call(({ id }: { id: string }) => this.setSnoozed(id, null)),
        remove: call(({ id }: { id: string }) => this.remove(id)),
      },
    };
  }

  #page(input: NotificationFilters & { cursor?: string; limit?: number }) {
    const { cursor, limit = 20, ...filters } = input;
    const after = cursor === undefined ? undefined : (JSON.parse(cursor) as Place);
    const { placeOf, compare } = orderOf(filters.box);
    const rest = this.list(filters).filter((row) => !after || compare(after, placeOf(row)) < 0);
    const items = rest.slice(0, limit);
    const last = items.at(-1);
    const nextCursor = rest.length > limit && last ? JSON.stringify(placeOf(last)) : null;
    return {
      data: { items, unreadCount: this.unreadCount, nextCursor },
      cursor: { topic: this.topic, seq: this.head },
    };
  }

  #change(id: string, to: (row: Notification) => Notification): void {
    const before = this.#rows.find((row) => row.id === id);
    if (!before) return;
    const notification = to(before);
    this.#rows = this.#rows.map((row) => (row === before ? notification : row));
    this.#publish('notification.updated', {
      notification,
      unreadDelta: unreadIn(notification) - unreadIn(before),
    });
  }

  #publish<Name extends keyof NotificationEvents>(event: Name, data: NotificationEvents[Name]) {
    const told = { seq: this.head + 1, event, at: this.#clock.now(), data };
    this.#events.push(told);
    this.#network.broadcast(this.channel, told);
  }

  /** A moment as Postgres writes it: UTC, with microseconds. */
  #moment(at: number): string {
    return new Date(at).toISOString().replace('Z', '000Z');
  }
}
