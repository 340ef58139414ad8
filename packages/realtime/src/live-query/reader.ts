import type { LiveEvent } from '../connection/api.ts';
import type { ConnectionInternals } from '../connection/connection.ts';
import { RealtimeError, toLiveError, type LiveError } from '../connection/errors.ts';
import { within } from '../connection/within.ts';
import { Feed } from '../topic/feed.ts';
import type { Follower, Topic } from '../topic/topic.ts';
import type { Snapshot } from './live-query.ts';

/** Before a head that lies below what was heard is believed, ms: a commit may be that young. */
const HEAD_DOUBT_MS = 200;
/** Snapshots and questions in one run, before it counts as failed and is tried again later. */
const TRIES_MAX = 5;

/** What a reader is made of. */
export type ReaderOptions<T> = {
  topic: string;
  load(): Promise<Snapshot<T>>;
  apply(data: T, event: LiveEvent): T;
  initial?: Snapshot<T>;
  needsReload?(data: T): boolean;
  /** Data, `error` or `isBehind` have changed. */
  changed(): void;
};

/** Confirmed data of one topic, exact to the event. Follows the topic from `start` to `stop`. */
export class Reader<T> implements Follower {
  readonly #options: ReaderOptions<T>;
  readonly #connection: ConnectionInternals;
  readonly #feed = new Feed();
  #topic: Topic | undefined;
  #data: { value: T } | undefined;
  /** Each snapshot begins another generation; parts loaded in an earlier one don't fit any more. */
  #generation = 0;
  #interrupted = true;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #runs = 0;
  #mustReload = false;
  /** It follows no topic although it should: refused, or signed out; `error` says why. */
  isStopped = false;
  error: LiveError | undefined;
  lastEventAt: number | undefined;
  latencyMs: number | undefined;

  constructor(connection: ConnectionInternals, options: ReaderOptions<T>) {
    this.#connection = connection;
    this.#options = options;
    if (options.initial) this.#take(options.initial);
  }

  get data(): T | undefined {
    return this.#data?.value;
  }

  get topic(): Topic | undefined {
    return this.#topic;
  }

  get isEmpty(): boolean {
    return this.#data === undefined;
  }

  get isBehind(): boolean {
    return this.isEmpty || this.#interrupted || this.#mustReload || this.#feed.hasGap;
  }

  start(): void {
    if (this.#topic) return;
    this.isStopped = false;
    this.error = undefined;
    this.#interrupted = true;
    try {
      this.#topic = this.#connection.topics.open(this.#options.topic);
      this.#topic.follow(this);
    } catch (error) {
      this.refused(toLiveError(error));
    }
  }

  stop(): void {
    if (!this.#topic) return;
    this.#runs += 1; // whatever is under way is for nobody
    this.#running = this.#next = undefined;
    this.#connection.topics.unfollow(this.#topic, this);
    this.#topic = undefined;
  }

  event(event: LiveEvent): void {
    const hadGap = this.#feed.hasGap;
    if (this.#receive([event]).includes(event)) {
      this.latencyMs = this.#connection.applied(event);
    } else if (this.#feed.hasGap && !hadGap) {
      this.#connection.log(`${this.#options.topic}: a gap before ${event.seq}`);
      this.#connection.counted.gapsRecovered += 1;
      // A run that is under way ends only when there is no gap.
      if (!this.#running) void this.#topic?.check();
    } else return;
    if (this.#mustReload && !this.#running) void this.#topic?.check();
    this.changed();
  }

  interrupted(): void {
    this.#interrupted = true;
    this.changed();
  }

  refused(error: LiveError): void {
    this.stop();
    this.isStopped = true;
    this.error = error;
    this.changed();
  }

  changed(): void {
    this.#options.changed();
    this.#connection.changed();
  }

  /** One run at a time; asked again meanwhile, another follows, since the first may be too early. */
  check(afresh: boolean): Promise<void> {
    if (!this.#running || afresh) {
      this.#next = undefined;
      return this.#run();
    }
    if (this.#next) return this.#next;
    const again = () => {
      if (this.#next !== next) return this.#running; // one has begun afresh meanwhile
      this.#next = undefined;
      return this.#run();
    };
    const next = this.#running.then(again, again);
    this.#next = next;
    return next;
  }

  /** Loads a new snapshot, whatever is there. */
  async refresh(): Promise<void> {
    this.#mustReload = true;
    this.start();
    await this.#topic?.check();
  }

  /**
   * Loads a further part of the data. A part that knows more than we do waits until we have caught
   * up; one that knows less gets the events that it lacks.
   */
  async extend(load: () => Promise<Snapshot<T>>, merge: (data: T, part: T) => T): Promise<boolean> {
    const { apply } = this.#options;
    const generation = this.#generation;
    const release = this.#feed.retain();
    try {
      const part = await within(this.#connection.clock, load());
      this.#feed.heardOf(part.cursor.seq);
      if (this.#feed.hasGap) await this.#topic?.check();
      const missed = this.#feed.givenOutAfter(part.cursor.seq);
      if (!this.#data || !missed || this.#feed.hasGap || generation !== this.#generation) {
        return false;
      }
      this.#data = { value: merge(this.#data.value, missed.reduce(apply, part.data)) };
      this.error = undefined;
      return true;
    } catch (error) {
      this.error = toLiveError(error);
      return false;
    } finally {
      release();
      this.changed();
    }
  }

  #isOn(run: number): boolean {
    return run === this.#runs;
  }

  #run(): Promise<void> {
    this.#runs += 1;
    const run = this.#runs;
    const running = this.#becomeCurrent(run).then(
      () => this.#ended(run, undefined),
      (error: unknown) => {
        this.#ended(run, toLiveError(error));
        throw error;
      },
    );
    this.#running = running;
    return running;
  }

  #ended(run: number, error: LiveError | undefined): void {
    if (!this.#isOn(run)) return;
    this.#running = undefined;
    if (error && !error.retryable) return this.refused(error);
    this.error = error;
    // A run that is still to come was asked for because this one may have begun too early.
    if (!error && !this.#next) this.#interrupted = false;
    this.changed();
  }

  async #becomeCurrent(run: number): Promise<void> {
    if (this.isEmpty || this.#mustReload) await this.#load(run);
    else await this.#catchUp(run);
    for (let tries = 0; this.#isOn(run) && (this.#feed.hasGap || this.#mustReload); tries += 1) {
      if (tries === TRIES_MAX) throw new Error(`${this.#options.topic}: numbers that never come`);
      await (this.#mustReload ? this.#load(run) : this.#catchUp(run));
    }
  }

  /** Asks for everything after what it has, until there is nothing more. */
  async #catchUp(run: number): Promise<void> {
    for (let isDoubtful = false; this.#topic && this.#feed.seq !== undefined;) {
      const { seq: after, newest: heard } = this.#feed;
      const answer = await this.#topic.since(after);
      if (!this.#isOn(run)) return;
      if (answer.status === 'too-old') return this.#load(run);
      if (answer.head < heard) {
        // Either the broadcast was faster than its commit, or the numbers have begun anew.
        if (isDoubtful) this.#feed.reset();
        if (isDoubtful) return this.#load(run);
        isDoubtful = true;
        await this.#pause(HEAD_DOUBT_MS);
        continue;
      }
      this.#feed.heardOf(answer.head);
      this.#receive(answer.events);
      this.changed();
      if (!this.#feed.hasGap) return;
      if (this.#feed.seq === after) return this.#load(run); // it can't be filled
    }
  }

  async #load(run: number): Promise<void> {
    const release = this.#feed.retain();
    try {
      const snapshot = await within(this.#connection.clock, this.#options.load());
      if (!this.#isOn(run)) return;
      this.#take(snapshot);
      this.#connection.counted.snapshotsLoaded += 1;
    } finally {
      release();
    }
    this.changed();
  }

  #take({ data, cursor }: Snapshot<T>): void {
    if (cursor.topic !== this.#options.topic) {
      throw new RealtimeError({
        code: 'WRONG_TOPIC',
        message: `The snapshot is numbered by ${cursor.topic}, but the query follows ${this.#options.topic}. Give liveQuery() the topic that its load() answers with.`,
        retryable: false,
      });
    }
    this.#generation += 1;
    this.#mustReload = false; // unless an event after the snapshot asks for it again
    this.#data = { value: data };
    this.#apply(this.#feed.snapshot(cursor.seq));
  }

  #receive(events: readonly LiveEvent[]): LiveEvent[] {
    const duplicatesBefore = this.#feed.duplicates;
    const turn = this.#feed.receive(events);
    this.#connection.counted.duplicatesDropped += this.#feed.duplicates - duplicatesBefore;
    this.#apply(turn);
    return turn;
  }

  #apply(events: readonly LiveEvent[]): void {
    if (!this.#data || events.length === 0) return;
    this.#data = { value: events.reduce(this.#options.apply, this.#data.value) };
    if (this.#options.needsReload?.(this.#data.value)) this.#mustReload = true;
    this.#connection.counted.eventsApplied += events.length;
    this.lastEventAt = this.#connection.clock.now();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#connection.clock.after(delayMs, resolve));
  }
}
