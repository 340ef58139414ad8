import type { Clock } from './clock.ts';

/** What the page tells about itself. */
export type PageSignal =
  | 'shown' // someone may look at it again
  | 'hidden' // another tab is in front, or the screen is off
  | 'online' // the browser has a network again
  | 'offline' // the browser has none
  | 'woke'; // time has jumped: the machine slept, or its clock was set

/** Where the connection learns whether anyone is looking. */
export type Page = {
  isVisible(): boolean;
  isOnline(): boolean;
  /** Hears of each signal; the answer stops. */
  onSignal(listener: (signal: PageSignal) => void): () => void;
};

/** How often the clock is looked at, ms. */
const LOOK_EVERY_MS = 5_000;
/** A look that comes this much too late, ms, or too early, means that time has jumped. */
const JUMP_MS = 10_000;

/** Hears when the clock jumps; hidden tabs' timers are late anyway, so it looks in shown ones. */
export function watchClock(clock: Clock, isVisible: () => boolean, jumped: () => void): () => void {
  let cancel = () => {};
  const look = (expectedAt: number, wasVisible: boolean) => {
    const offMs = Math.abs(clock.now() - expectedAt);
    if (wasVisible && isVisible() && offMs > JUMP_MS) jumped();
    const nextAt = clock.now() + LOOK_EVERY_MS;
    const visible = isVisible();
    cancel = clock.after(LOOK_EVERY_MS, () => look(nextAt, visible));
  };
  look(clock.now(), false);
  return () => cancel();
}

/** The browser's page; outside a browser, one that is always visible and online. */
export function browserPage(clock: Clock): Page {
  if (typeof document === 'undefined') {
    return { isVisible: () => true, isOnline: () => true, onSignal: () => () => undefined };
  }
  const isVisible = () => document.visibilityState === 'visible';
  return {
    isVisible,
    isOnline: () => navigator.onLine,
    onSignal(listener) {
      const visibility = () => listener(isVisible() ? 'shown' : 'hidden');
      const online = () => listener('online');
      const offline = () => listener('offline');
      document.addEventListener('visibilitychange', visibility);
      addEventListener('online', online);
      addEventListener('offline', offline);
      const stopWatching = watchClock(clock, isVisible, () => listener('woke'));
      return () => {
        document.removeEventListener('visibilitychange', visibility);
        removeEventListener('online', online);
        removeEventListener('offline', offline);
        stopWatching();
      };
    },
  };
}
