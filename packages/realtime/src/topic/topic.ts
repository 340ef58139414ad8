import type { LiveApi, LiveEvent, Since } from '../connection/api.ts';
import { fullJitterMs, type Backoff } from '../connection/backoff.ts';
import type { Clock } from '../connection/clock.ts';
import type { LiveError } from '../connection/errors.ts';
import type { TopicFacts } from '../connection/status.ts';
import { within } from '../connection/within.ts';
import { ACCESS_REVOKED, likelyEpoch, type Move } from './channel.ts';
import { nextCheckDelayMs } from './check-schedule.ts';
import { joinTopic } from './join.ts';
import { step, type TopicEffect, type TopicEvent, type TopicState } from './machine.ts';
import type { Transport } from './transport.ts';

/** Between joins that fail in a row. Hosted servers allow about a hundred joins a second to all. */
const REJOIN: Backoff = { firstMs: 1_000, capMs: 15_000 };
/** A channel that lived this long, ms, was well: its end isn't one more fault in a row. */
const STEADY_AFTER_MS = 10_000;

/** Someone who wants a topic's events: a live query. */
export type Follower = {
  /** Nothing to show yet. */
  readonly isEmpty: boolean;
  /** Something is known, or feared, to be missing. */
  readonly isBehind: boolean;
  event(event: LiveEvent): void;
  /** The database has said something without a number: nice to know now, nothing to keep. */
  said?(word: string, payload: unknown): void;
  /**
   * Becomes current by asking the API; rejects when it couldn't. `afresh` doesn't wait for a
   * question that is under way: it may have been asked before the machine fell asleep.
   */
  check(afresh: boolean): Promise<void>;
  /** Events may have been missed; a check follows as soon as one is possible. */
  interrupted(): void;
  /** The server said no for good. */
  refused(error: LiveError): void;
  /** Something that the status depends on has changed. */
  changed(): void;
};

/** What a topic needs of the tab's connection. */
export type TopicWorld = {
  transport: Transport;
  api: LiveApi;
  clock: Clock;
  isVisible(): boolean;
  log(message: string, details?: unknown): void;
  /** Called after each change of {@link Topic.facts}. */
  changed(): void;
  /** The user was told of having lost a right: all topics should be asked about. */
  revoked(): void;
};

/** Supervises the one channel of a topic, and asks the API where the channel can't be trusted. */
export class Topic {
  readonly name: string;
  readonly #world: TopicWorld;
  readonly #followers = new Set<Follower>();
  #state: TopicState;
  /** Of the topic's channel; `undefined` while only the API knows. */
  #epoch: number | undefined;
  #moveWithinMs = 0;
  #leave: (() => void) | undefined;
  #joinedAt = 0;
  #cancelRetry: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #checkedSinceChange = false;
  #lastCheck: TopicFacts['lastCheck'] = 'none';
  #checkFailures = 0;
  #checks = 0;
  readonly #asking = new Map<number, Promise<Since>>();

  constructor(name: string, world: TopicWorld) {
    this.name = name;
    this.#world = world;
    this.#epoch = likelyEpoch(name);
    this.#state = { status: 'idle', socketOpen: world.transport.state() === 'open', faults: 0 };
  }

  get facts(): TopicFacts {
    const behind = [...this.#followers].some((follower) => follower.isBehind);
    return { status: this.#state.status, behind, lastCheck: this.#lastCheck };
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  follow(follower: Follower): void {
    this.#followers.add(follower);
    // Asked before it listened, an answer may lack an event that it hasn't heard either.
    this.#asking.clear();
    this.dispatch({ type: 'followed' });
    if (this.#state.status === 'joined') void this.check();
    else this.#scheduleCheck();
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower);
    this.changed();
  }

  /** The channel has heard something without a number. */
  said(word: string, payload: unknown): void {
    for (const follower of [...this.#followers]) follower.said?.(word, payload);
  }

  /** The page was hidden or shown: questions stop, or begin again. */
  visibilityChanged(): void {
    this.#scheduleCheck();
  }

  /** The machine or the network was away: whatever is under way may never end. */
  woke(): void {
    this.#asking.clear();
    for (const follower of this.#followers) follower.interrupted();
    void this.check(true);
  }

  /** The events after `seq`; followers that ask for the same at once share the question. */
  since(seq: number): Promise<Since> {
    const asked = this.#asking.get(seq);
    if (asked) return asked;
    const { api, clock } = this.#world;
    const asking = within(clock, api.live.since.query({ topic: this.name, seq })).then((answer) => {
      this.#moved({ epoch: answer.epoch, withinMs: 0 }); // unless the channel has told already
      return answer;
    });
    this.#asking.set(seq, asking);
    const done = () => {
      if (this.#asking.get(seq) === asking) this.#asking.delete(seq);
    };
    asking.then(done, done);
    return asking;
  }

  /** Brings every follower up to date by asking the API, and plans the next time. */
  async check(afresh = false): Promise<void> {
    this.#unscheduleCheck();
    if (afresh) this.#checks += 1;
    const checks = this.#checks;
    const results = await Promise.allSettled(
      [...this.#followers].map((follower) => follower.check(afresh)),
    );
    if (checks !== this.#checks) return; // a later one tells
    const failed = results.some(({ status }) => status === 'rejected');
    this.#checkFailures = failed ? this.#checkFailures + 1 : 0;
    this.#lastCheck = failed ? 'failed' : 'ok';
    this.#checkedSinceChange = true;
    this.#unscheduleCheck(); // one may have been planned before this outcome was known
    this.#scheduleCheck();
    this.changed();
  }

  dispatch(event: TopicEvent): void {
    const before = this.#state.status;
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    if (state.status === before) return;
    this.#world.log(`topic ${this.name}: ${before} → ${state.status}`, event);
    this.#entered(before);
    this.changed();
  }

  #run(effect: TopicEffect): void {
    const { clock } = this.#world;
    const retryAfter = (delayMs: number) => {
      this.#cancelRetry = clock.after(delayMs, () => this.dispatch({ type: 'retry-due' }));
    };
    switch (effect) {
      case 'leave':
        this.#leave?.();
        this.#leave = undefined;
        return;
      case 'cancel-retry':
        this.#cancelRetry?.();
        this.#cancelRetry = undefined;
        return;
      case 'join':
        this.#join();
        return;
      case 'schedule-move':
        retryAfter(this.#moveWithinMs * clock.random());
        return;
      case 'schedule-retry':
        retryAfter(fullJitterMs(REJOIN, this.#state.faults, clock.random()));
        return;
    }
  }

  #join(): void {
    const { transport, clock, api, revoked } = this.#world;
    const askEpoch = async () => {
      const { epoch } = await within(clock, api.live.epoch.query({ topic: this.name }));
      return epoch;
    };
    const options = { topic: this.name, epoch: this.#epoch, transport, askEpoch };
    this.#leave = joinTopic(options, {
      found: (epoch) => {
        this.#epoch = epoch;
      },
      joined: () => {
        this.#joinedAt = clock.now();
        this.dispatch({ type: 'joined' });
      },
      event: (event) => {
        for (const follower of [...this.#followers]) follower.event(event);
        if (event.event === ACCESS_REVOKED) revoked();
      },
      said: (word, payload) => this.said(word, payload),
      moved: (move) => this.#moved(move),
      ended: (end) => {
        const steadyMs = this.#state.status === 'joined' ? clock.now() - this.#joinedAt : 0;
        this.dispatch({ type: 'ended', end, wasSteady: steadyMs >= STEADY_AFTER_MS });
        if (end.kind === 'refused') {
          for (const follower of [...this.#followers]) follower.refused(end.error);
        }
      },
    });
  }

  /** The channel tells of it, and if that was lost, so does each answer of the API. */
  #moved({ epoch, withinMs }: Move): void {
    if (this.#epoch !== undefined && epoch <= this.#epoch) return;
    const wasKnown = this.#epoch !== undefined;
    this.#epoch = epoch;
    this.#moveWithinMs = withinMs;
    if (wasKnown) this.dispatch({ type: 'moved' });
  }

  /** What a change of status means for the questions to the API. */
  #entered(before: TopicState['status']): void {
    const { status } = this.#state;
    if (status === 'joined') {
      // Whatever was committed before the join is ours to ask for.
      for (const follower of this.#followers) follower.interrupted();
      void this.check();
    } else if (status === 'moving') {
      for (const follower of this.#followers) follower.interrupted();
    } else if (before !== 'joining' && before !== 'waiting' && before !== 'blocked') {
      this.#checkedSinceChange = false;
      this.#lastCheck = 'none';
      this.#checkFailures = 0;
      this.#unscheduleCheck();
      this.#scheduleCheck();
    }
  }

  #unscheduleCheck(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
  }

  /** Leaves a check that is planned where it is: attempts to join must not put it off. */
  #scheduleCheck(): void {
    const { clock, isVisible } = this.#world;
    const visible = isVisible();
    if (!visible || !this.isFollowed) return this.#unscheduleCheck();
    if (this.#cancelCheck) return;
    const facts = {
      status: this.#state.status,
      visible,
      empty: [...this.#followers].some((follower) => follower.isEmpty),
      first: !this.#checkedSinceChange,
      failures: this.#checkFailures,
    };
    const delayMs = nextCheckDelayMs(facts, clock.random());
    if (delayMs === null) return;
    this.#cancelCheck = clock.after(delayMs, () => void this.check());
  }

  /** Something that the status depends on has changed. */
  changed(): void {
    for (const follower of [...this.#followers]) follower.changed();
    this.#world.changed();
  }
}
