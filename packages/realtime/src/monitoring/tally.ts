import type { BrowserReport } from '@homeroom/api/contract';
import type { ConnectionState, Metrics } from '../connection/connection.ts';

/** Samples of latency in one report; of more, the first. */
const SAMPLES_MAX = 100;
/** As the API takes them. */
const ERRORS_MAX = 5;
const LENGTH_MAX = { place: 100, message: 500, path: 300 } as const;
/** A tab that fails without end is told of so often, and then no more. */
const ERRORS_OF_A_TAB_MAX = 20;

type BrowserError = BrowserReport['errors'][number];

/** What is counted of the socket, by the names of the report. */
const COUNTED = {
  opened: 'opened',
  failed: 'openFailures',
  lost: 'lost',
  recovered: 'reconnects',
  messages: 'eventsApplied',
} as const satisfies Record<string, keyof Metrics>;

/** Adds up what a tab reports of itself. Without clock or network: moments come in, ms. */
export class Tally {
  readonly #tabId: string;
  #before: Metrics | undefined;
  #lastEventAt: number | undefined;
  #screenMs: number[] = [];
  #errors: BrowserError[] = [];
  #errorsLeft = ERRORS_OF_A_TAB_MAX;
  #isLive = false;
  #isLookedAt: boolean;
  #since: number;
  #liveMs = 0;
  #stillMs = 0;
  #liveActions = 0;
  #stillActions = 0;

  constructor(tabId: string, now: number, isLookedAt: boolean) {
    this.#tabId = tabId;
    this.#since = now;
    this.#isLookedAt = isLookedAt;
  }

  /** The connection has changed: its status, or an event was applied. */
  connection({ status, lastEventAt, latencyMs }: ConnectionState, now: number): void {
    this.#account(now);
    this.#isLive = status === 'live';
    if (lastEventAt === this.#lastEventAt) return;
    this.#lastEventAt = lastEventAt;
    if (latencyMs === undefined || this.#screenMs.length >= SAMPLES_MAX) return;
    this.#screenMs.push(Math.max(0, latencyMs));
  }

  /** The tab was brought to the front, or is no longer there. */
  lookedAt(isLookedAt: boolean, now: number): void {
    this.#account(now);
    this.#isLookedAt = isLookedAt;
  }

  /** The person did something. */
  acted(): void {
    if (this.#isLive) this.#liveActions += 1;
    else this.#stillActions += 1;
  }

  /** Something broke. The same thing again is left out until the next report. */
  failed({ place, message, path }: BrowserError): void {
    const told = {
      place: place.slice(0, LENGTH_MAX.place),
      message: message.slice(0, LENGTH_MAX.message),
      path: path.slice(0, LENGTH_MAX.path),
    };
    const isKnown = this.#errors.some(
      (error) => error.place === told.place && error.message === told.message,
    );
    if (isKnown || this.#errors.length >= ERRORS_MAX || this.#errorsLeft === 0) return;
    this.#errorsLeft -= 1;
    this.#errors.push(told);
  }

  /** What has added up since the last report, and begins anew. */
  take(metrics: Metrics, now: number, isClosing: boolean): BrowserReport {
    this.#account(now);
    const since = (name: keyof Metrics) => metrics[name] - (this.#before?.[name] ?? 0);
    const report: BrowserReport = {
      ...{ tabId: this.#tabId, isLive: this.#isLive, isClosing },
      opened: since(COUNTED.opened),
      failed: since(COUNTED.failed),
      lost: since(COUNTED.lost),
      recovered: since(COUNTED.recovered),
      messages: since(COUNTED.messages),
      screenMs: this.#screenMs,
      liveSeconds: this.#liveMs / 1000,
      stillSeconds: this.#stillMs / 1000,
      liveActions: this.#liveActions,
      stillActions: this.#stillActions,
      errors: this.#errors,
    };
    this.#before = metrics;
    this.#screenMs = [];
    this.#errors = [];
    this.#liveMs = this.#stillMs = this.#liveActions = this.#stillActions = 0;
    return report;
  }

  /** Puts the time since the last change where it belongs. */
  #account(now: number): void {
    const passed = this.#isLookedAt ? Math.max(0, now - this.#since) : 0;
    if (this.#isLive) this.#liveMs += passed;
    else this.#stillMs += passed;
    this.#since = now;
  }
}
