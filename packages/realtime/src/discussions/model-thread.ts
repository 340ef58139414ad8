import type {
  MessagesInput,
  Person,
  Thread,
  ThreadMessage,
  ThreadReader,
  ToldMessage,
} from '@homeroom/api/contract';
import { REACTIONS, type Reaction } from '@homeroom/api/kinds';
import type { LiveEvent, RealtimeApi, Since } from '../connection/api.ts';
import type { Clock } from '../connection/clock.ts';
import type { ModelNetwork } from '../testing/model-network.ts';
import { notModelled } from '../testing/not-modelled.ts';

/** Events in one answer of `live.since`; few, so that tests see several pages. */
const SINCE_MAX = 4;

const THREAD_ID = '00000000-0000-4000-8000-00000000000a';

/** Who put which sign under which message. */
type Sign = { messageId: string; emoji: Reaction; userId: string };

/** What the database and the API do for one thread and one of its readers, in the plainest way. */
export class ModelThread {
  readonly id = THREAD_ID;
  readonly topic = `thread:${THREAD_ID}`;
  readonly #userId: string;
  readonly #network: ModelNetwork;
  readonly #clock: Clock;
  readonly #events = new Map<string, LiveEvent[]>();
  #thread: Thread;
  #rows: ToldMessage[] = [];
  #signs: Sign[] = [];
  #reader: ThreadReader | null = null;

  constructor(userId: string, network: ModelNetwork, clock: Clock) {
    this.#userId = userId;
    this.#network = network;
    this.#clock = clock;
    this.#thread = {
      id: THREAD_ID,
      courseId: '00000000-0000-4000-8000-00000000000c',
      lessonId: null,
      title: 'Joins',
      createdBy: null,
      createdAt: this.#moment(),
      isPinned: false,
      isLocked: false,
      isClosed: false,
      slowModeSeconds: 0,
      answerId: null,
      lastNumber: 0,
      lastMessageAt: this.#moment(),
      lastSender: null,
    };
  }

  get thread(): Thread {
    return this.#thread;
  }

  get reader(): ThreadReader | null {
    return this.#reader;
  }

  /** All messages, as the reader sees them. */
  get messages(): ThreadMessage[] {
    return this.#rows.map((row) => this.#seen(row));
  }

  get ids(): string[] {
    return this.#rows.map(({ id }) => id);
  }

  /** Someone writes. Sent again, it is written once; refused when the thread is locked. */
  send(id: string, sender: string, content: string, parentId?: string): ThreadMessage {
    const known = this.#rows.find((row) => row.id === id);
    if (known) return this.#seen(known);
    if (this.#thread.isLocked && sender === this.#userId) throw refusal(403, 'THREAD_LOCKED');
    const parent = this.#rows.find((row) => row.id === parentId);
    const row: ToldMessage = {
      id,
      threadId: THREAD_ID,
      number: this.#thread.lastNumber + 1,
      sender: personOf(sender),
      isByStaff: false,
      content,
      excerpt: content,
      parent: parent
        ? { id: parent.id, number: parent.number, sender: parent.sender, excerpt: parent.excerpt }
        : null,
      mentions: [],
      endorsedBy: null,
      createdAt: this.#moment(),
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
    };
    this.#rows.push(row);
    this.#thread = {
      ...this.#thread,
      lastNumber: row.number,
      lastMessageAt: row.createdAt,
      lastSender: row.sender,
    };
    this.#tell(this.topic, 'message.created', { message: row });
    if (sender === this.#userId) this.#putReader({ readNumber: row.number });
    return this.#seen(row);
  }

  edit(id: string, content: string): void {
    const row = this.#rows.find((candidate) => candidate.id === id);
    if (!row || row.deletedAt !== null) throw refusal(404, 'MESSAGE_NOT_FOUND');
    if (row.content === content) return;
    this.#change(id, { content, excerpt: content, editedAt: this.#moment() });
  }

  remove(id: string): void {
    const row = this.#rows.find((candidate) => candidate.id === id);
    if (!row || row.deletedAt !== null) return;
    const deletedAt = this.#moment();
    this.#change(id, { content: '', excerpt: '', deletedAt, deletedBy: 'sender' });
  }

  react(messageId: string, emoji: Reaction, userId: string, isOn: boolean): void {
    const isSame = (sign: Sign) =>
      sign.messageId === messageId && sign.emoji === emoji && sign.userId === userId;
    if (!this.ids.includes(messageId) || this.#signs.some(isSame) === isOn) return;
    if (isOn) this.#signs.push({ messageId, emoji, userId });
    else this.#signs = this.#signs.filter((sign) => !isSame(sign));
    const countDelta = isOn ? 1 : -1;
    this.#tell(this.topic, 'message.reacted', { messageId, emoji, userId, countDelta });
  }

  moderate(change: Partial<Thread>): void {
    this.#thread = { ...this.#thread, ...change };
    this.#tell(this.topic, 'thread.updated', { thread: this.#thread });
  }

  markAsRead(number: number): void {
    const readNumber = Math.min(number, this.#thread.lastNumber);
    if (readNumber > (this.#reader?.readNumber ?? 0)) this.#putReader({ readNumber });
  }

  markAsUnread(number: number): void {
    const readNumber = Math.min(this.#reader?.readNumber ?? 0, Math.max(number, 1) - 1);
    this.#putReader({ readNumber });
  }

  /** Retention removes all but the newest events. */
  forgetAllBut(count: number): void {
    if (count === 0) return;
    for (const [topic, events] of this.#events) this.#events.set(topic, events.slice(-count));
  }

  /** The API, as the stores call it, over the network. */
  get api(): RealtimeApi {
    const call = <Input, Output>(perform: (input: Input) => Output) => {
      const send = (input: Input) => this.#network.call(() => structuredClone(perform(input)));
      return { query: send, mutate: send };
    };
    const userTopic = `user:${this.#userId}`;
    return {
      ...notModelled,
      live: {
        epoch: call(() => ({ epoch: 0 })),
        since: call(({ topic, seq }: { topic: string; seq: number }) => this.#since(topic, seq)),
      },
      discussions: {
        ...notModelled.discussions,
        reader: call(() => this.#live(userTopic, { reader: this.#reader })),
        messages: call((input: MessagesInput) => this.#part(input)),
        send: call(({ id, content, parentId }: Sending) => ({
          message: this.send(id, this.#userId, content, parentId),
        })),
        edit: call(({ messageId, content }: { messageId: string; content: string }) =>
          this.edit(messageId, content),
        ),
        remove: call(({ messageId }: { messageId: string }) => this.remove(messageId)),
        react: call(({ messageId, emoji, isOn }: Omit<Sign, 'userId'> & { isOn: boolean }) =>
          this.react(messageId, emoji, this.#userId, isOn),
        ),
        markAsRead: call(({ number }: { number: number }) => this.markAsRead(number)),
        markAsUnread: call(({ number }: { number: number }) => this.markAsUnread(number)),
      },
    };
  }

  #part({ before, after, around, limit = 50 }: MessagesInput) {
    const { lastNumber } = this.#thread;
    const newest = lastNumber - limit + 1;
    const half = Math.floor(limit / 2);
    const first =
      before !== undefined
        ? before - limit
        : after !== undefined
          ? after + 1
          : Math.max(1, Math.min(around === undefined ? newest : around - half, newest));
    const end = before ?? first + limit;
    const items = this.messages.filter(({ number }) => number >= first && number < end);
    return this.#live(this.topic, { thread: this.#thread, reader: this.#reader, items });
  }

  #seen(row: ToldMessage): ThreadMessage {
    const signs = this.#signs.filter(({ messageId }) => messageId === row.id);
    const reactions = REACTIONS.flatMap((emoji) => {
      const users = signs.filter((sign) => sign.emoji === emoji).map(({ userId }) => userId);
      const isMine = users.includes(this.#userId);
      return users.length > 0 ? [{ emoji, count: users.length, isMine }] : [];
    });
    const parent = row.parent && {
      ...row.parent,
      excerpt: this.#rows.find(({ id }) => id === row.parent?.id)?.excerpt ?? '',
    };
    const replyCount = this.#rows.filter((other) => other.parent?.id === row.id).length;
    return { ...row, parent, replyCount, reactions };
  }

  #change(id: string, change: Partial<ToldMessage>): void {
    this.#rows = this.#rows.map((row) => (row.id === id ? { ...row, ...change } : row));
    const message = this.#rows.find((row) => row.id === id);
    this.#tell(this.topic, 'message.updated', { message });
  }

  #putReader(change: Partial<ThreadReader>): void {
    const before = this.#reader ?? { threadId: THREAD_ID, readNumber: 0, level: 'normal' };
    this.#reader = { ...before, ...change };
    const { courseId } = this.#thread;
    this.#tell(`user:${this.#userId}`, 'thread.read', { ...this.#reader, courseId });
  }

  #live<Data>(topic: string, data: Data) {
    return { data, cursor: { topic, seq: this.#head(topic) } };
  }

  #head(topic: string): number {
    return this.#events.get(topic)?.at(-1)?.seq ?? 0;
  }

  #tell(topic: string, event: string, data: unknown): void {
    const told = { seq: this.#head(topic) + 1, event, at: this.#clock.now(), data };
    this.#events.set(topic, [...(this.#events.get(topic) ?? []), structuredClone(told)]);
    this.#network.broadcast(topic, structuredClone(told));
  }

  #since(topic: string, seq: number): Since {
    const events = this.#events.get(topic) ?? [];
    const head = this.#head(topic);
    const oldest = events[0]?.seq ?? head + 1;
    if (seq + 1 < oldest && seq < head) return { status: 'too-old', head, epoch: 0 };
    return {
      status: 'events',
      events: events.filter((event) => event.seq > seq).slice(0, SINCE_MAX),
      head,
      epoch: 0,
    };
  }

  /** A moment as Postgres writes it: UTC, with microseconds. */
  #moment(): string {
    return new Date(this.#clock.now()).toISOString().replace('Z', '000Z');
  }
}

type Sending = { id: string; content: string; parentId?: string };

function personOf(id: string): Person {
  return { id, name: id, avatarUrl: null };
}

/** An error as a tRPC client throws it. */
function refusal(httpStatus: number, appCode: string): Error {
  return Object.assign(new Error(appCode), { data: { httpStatus, appCode } });
}
