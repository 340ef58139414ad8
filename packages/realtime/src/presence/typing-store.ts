import type { Person } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import { Composite } from '../live-query/composite.ts';
import type { Follower } from '../topic/topic.ts';

/** How often others are told of someone who goes on writing, ms. */
export const TELL_EVERY_MS = 3_000;
/** Nothing heard for this long, ms: they have stopped. One lost word doesn't make the line flicker. */
export const FORGET_AFTER_MS = 7_000;

/** Who is writing, those first who began first; names are the server's. */
export type TypingState = { people: readonly Person[] };

/** Who is writing in a thread or to the person. */
export type TypingStore = Readable<TypingState> & {
  /** The person has written something: others are told, now and then. */
  typed(): void;
  /** Someone's message has come: they aren't writing it any more. */
  stopped(personId: string): void;
};

/** How typing is shown. */
export type TypingOptions = {
  /** The person wants none of it: nothing is told, and nothing shown. */
  isOff?: boolean;
};

/** Who is writing in a thread, or whether someone is writing to the person. */
export function typing(
  connection: Connection,
  where: { threadId: string } | { userId: string },
  { isOff = false }: TypingOptions = {},
): TypingStore {
  return new Typing(connection, where, isOff);
}

class Typing extends Composite<TypingState> implements TypingStore {
  readonly #connection: Connection;
  readonly #where: { threadId: string } | { userId: string };
  readonly #isOff: boolean;
  /** Who is writing, and how to take back that they will be forgotten. */
  readonly #writing = new Map<string, { person: Person; cancel: () => void }>();
  #toldAt = -Infinity;

  constructor(
    connection: Connection,
    where: { threadId: string } | { userId: string },
    isOff: boolean,
  ) {
    super();
    this.#connection = connection;
    this.#where = where;
    this.#isOff = isOff;
  }

  typed(): void {
    const { internals } = this.#connection;
    const { clock } = internals;
    if (this.#isOff || clock.now() - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = clock.now();
    this.#connection.api.presence.typing
      .mutate(this.#where)
      // Sending says why one can't write here; that nobody sees it coming isn't worth a word.
      .catch((error: unknown) => internals.log('typing not told', error));
  }

  stopped(personId: string): void {
    this.#writing.get(personId)?.cancel();
    if (this.#writing.delete(personId)) this.changed();
  }

  protected override followSources(): (() => void)[] {
    if (this.#isOff) return [];
    const { topics } = this.#connection.internals;
    const isThread = 'threadId' in this.#where;
    const topic = topics.open(
      isThread ? `thread:${this.#where.threadId}` : `user:${this.#connection.userId}`,
    );
    const follower: Follower = {
      isEmpty: false,
      isBehind: false,
      event: () => undefined,
      check: () => Promise.resolve(),
      interrupted: () => undefined,
      refused: () => undefined,
      changed: () => undefined,
      said: (word, payload) => {
        const person = word === 'typing' ? toPerson(payload) : undefined;
        if (person && this.#concerns(person)) this.#heardOf(person);
      },
    };
    topic.follow(follower);
    return [
      () => topics.unfollow(topic, follower),
      () => {
        for (const { cancel } of this.#writing.values()) cancel();
        this.#writing.clear();
      },
    ];
  }

  protected override look(): TypingState {
    return { people: [...this.#writing.values()].map(({ person }) => person) };
  }

  #concerns(person: Person): boolean {
    if (person.id === this.#connection.userId) return false; // another device of theirs
    return 'threadId' in this.#where || person.id === this.#where.userId;
  }

  #heardOf(person: Person): void {
    this.#writing.get(person.id)?.cancel();
    const cancel = this.#connection.internals.clock.after(FORGET_AFTER_MS, () =>
      this.stopped(person.id),
    );
    this.#writing.set(person.id, { person, cancel });
    this.changed();
  }
}

/** Only the database can speak on a topic, so what says that somebody is writing names them. */
function toPerson(payload: unknown): Person | undefined {
  if (typeof payload !== 'object' || payload === null || !('person' in payload)) return undefined;
  return payload.person as Person;
}
