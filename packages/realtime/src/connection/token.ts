import { fullJitterMs, type Backoff } from './backoff.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { Clock } from './clock.ts';
import { LIVE_ERRORS, RealtimeError } from './errors.ts';
import { within } from './within.ts';

/** A short-lived access token, kept in memory only. */
export type AccessToken = {
  token: string;
  /** When it expires: milliseconds since 1970, by the server's clock. */
  expiresAt: number;
  /**
   * The server's clock when it answered, in milliseconds since 1970. With it, a device whose clock
   * is wrong still refreshes in time, and latencies are measured against the server's time.
   */
  now?: number;
};

/** Refreshed this long before it expires, ms, or a quarter of its life before if that is less. */
const REFRESH_BEFORE_MS = 60_000;
/** Without the server's clock, a token is tried for at least this long, ms: ours may be wrong. */
const LIFETIME_LEAST_MS = 10_000;
/** A server that gives tokens about to expire is asked no more often than this, ms. */
const ASK_AT_MOST_EVERY_MS = 1_000;
/** Moments before this, ms since 1970, are seconds by mistake. */
const EARLIEST_MS = 1e11;
/** Between refreshes that fail; the old token still serves meanwhile. */
const AFTER_FAILURE: Backoff = { firstMs: 1_000, capMs: 10_000 };

type Settings = {
  getToken(): Promise<AccessToken | null>;
  clock: Clock;
  offset: ClockOffset;
  log(message: string, details?: unknown): void;
};

/** Holds the token, and a fresh one before it expires. */
export class TokenKeeper {
  readonly #settings: Settings;
  #token: { value: string; freshUntil: number } | undefined;
  #loading: Promise<string> | undefined;
  #cancelRefresh: (() => void) | undefined;
  #failures = 0;
  #closed = false;
  #onToken: (token: string) => void = () => undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Hears of each new token. */
  onToken(listener: (token: string) => void): void {
    this.#onToken = listener;
  }

  /** A token that isn't about to expire. Rejects when there is none to be had. */
  fresh(): Promise<string> {
    const { clock } = this.#settings;
    if (this.#token && clock.now() < this.#token.freshUntil) {
      return Promise.resolve(this.#token.value);
    }
    return this.#load();
  }

  /** The server didn't like it, or time went differently than thought: get another. */
  invalidate(): void {
    this.#token = undefined;
    this.#loading = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRefresh?.();
    this.invalidate();
  }

  #load(): Promise<string> {
    if (this.#loading) return this.#loading;
    const loading = this.#ask().finally(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
    this.#loading = loading;
    return loading;
  }

  async #ask(): Promise<string> {
    const { clock, getToken, offset } = this.#settings;
    const askedAt = clock.now();
    const answer = await within(clock, getToken());
    if (!answer) throw new RealtimeError(LIVE_ERRORS.signedOut);
    if (answer.expiresAt < EARLIEST_MS) {
      throw new Error('getToken() gave expiresAt in seconds; give milliseconds since 1970');
    }
    const answeredAt = clock.now();
    if (answer.now !== undefined) offset.sample(askedAt, answeredAt, answer.now);
    const lifetimeMs =
      answer.now === undefined
        ? Math.max(answer.expiresAt - answeredAt, LIFETIME_LEAST_MS)
        : answer.expiresAt - answer.now;
    const refreshMs = lifetimeMs - Math.min(REFRESH_BEFORE_MS, lifetimeMs / 4);
    const freshMs = Math.max(refreshMs, ASK_AT_MOST_EVERY_MS);
    this.#token = { value: answer.token, freshUntil: answeredAt + freshMs };
    this.#failures = 0;
    this.#refreshAfter(freshMs);
    if (!this.#closed) this.#onToken(answer.token);
    return answer.token;
  }

  #refreshAfter(delayMs: number): void {
    const { clock, log } = this.#settings;
    this.#cancelRefresh?.();
    if (this.#closed) return;
    this.#cancelRefresh = clock.after(delayMs, () => {
      this.#load().catch((error: unknown) => {
        log('token: refresh failed', error);
        if (error instanceof RealtimeError) return; // signed out: the channels will end by themselves
        this.#failures += 1;
        this.#refreshAfter(fullJitterMs(AFTER_FAILURE, this.#failures, clock.random()));
      });
    });
  }
}
