import type { Connection } from '../connection/connection.ts';
import { Tally } from './tally.ts';

/** The first report comes soon after a page was opened, ms; then one each interval. */
const FIRST_MS = 3_000;
const INTERVAL_MS = 15_000;

/** Where and how often a tab reports. */
export type ReporterOptions = {
  /** Of `monitoring.report`. */
  url: string;
  /** The share of tabs that report how they do, 0 to 1. Errors are reported by all. */
  sample: number;
};

/** Reports of a tab. */
export type Reporter = {
  /** Something broke in a part of the page. */
  failed(place: string, error: unknown): void;
  /** Reports a last time. */
  stop(): void;
};

/**
 * Reports how the tab's connection does, in the browser: counted, added up, and sent as a beacon,
 * which waits for nothing and survives the page.
 */
export function startReporter(connection: Connection, { url, sample }: ReporterOptions): Reporter {
  const isSampled = Math.random() < sample;
  const isLookedAt = () => document.visibilityState === 'visible';
  const tally = new Tally(crypto.randomUUID(), Date.now(), isLookedAt());
  const listening = new AbortController();
  const { signal } = listening;
  /** The page is being left: what happens to it from here on concerns nobody. */
  let isLeft = false;

  const send = (isClosing: boolean) => {
    if (isLeft) return;
    isLeft = isClosing;
    const report = tally.take(connection.metrics(), Date.now(), isClosing);
    if (!isSampled && report.errors.length === 0) return;
    navigator.sendBeacon(url, new Blob([JSON.stringify(report)], { type: 'application/json' }));
  };
  const failed = (place: string, error: unknown) => {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    tally.failed({ place, message, path: location.pathname });
  };

  const unsubscribe = connection.subscribe((state) => tally.connection(state, Date.now()));
  const first = setTimeout(() => send(false), FIRST_MS);
  const timer = setInterval(() => send(false), INTERVAL_MS);
  const acted = () => tally.acted();
  addEventListener('pointerup', acted, { signal, passive: true });
  addEventListener('keydown', ({ repeat }) => !repeat && acted(), { signal, passive: true });
  addEventListener('error', ({ error, message }) => failed('page', error ?? message), { signal });
  addEventListener('unhandledrejection', ({ reason }) => failed('page', reason), { signal });
  addEventListener('pagehide', () => send(true), { signal });
  // Back from the browser's cache.
  addEventListener('pageshow', () => (isLeft = false), { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      tally.lookedAt(isLookedAt(), Date.now());
      if (!isLookedAt()) send(false);
    },
    { signal },
  );

  return {
    failed,
    stop() {
      clearTimeout(first);
      clearInterval(timer);
      listening.abort();
      unsubscribe();
      send(true);
    },
  };
}
