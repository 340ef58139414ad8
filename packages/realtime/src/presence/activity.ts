import type { Clock } from '../connection/clock.ts';

/** Without a key or a pointer for this long, ms, someone has gone for a coffee. */
const IDLE_AFTER_MS = 5 * 60_000;

/** What a tab tells of the person in front of it. */
export type Activity = {
  isAway(): boolean;
  /** Hears when the tab is put in front or behind, or is about to go; the answer stops. */
  watch(changed: () => void, leaving: () => void): () => void;
};

/** The browser's tab; outside a browser, one that someone always looks at. */
export function browserActivity(clock: Clock): Activity {
  if (typeof document === 'undefined') return { isAway: () => false, watch: () => () => undefined };
  let lastActiveAt = clock.now();
  const isAway = () =>
    document.visibilityState !== 'visible' || clock.now() - lastActiveAt >= IDLE_AFTER_MS;
  return {
    isAway,
    watch(changed, leaving) {
      const active = () => {
        const wasAway = isAway();
        lastActiveAt = clock.now();
        if (wasAway) changed();
      };
      const events = ['pointerdown', 'pointermove', 'keydown'] as const;
      for (const event of events) document.addEventListener(event, active, { passive: true });
      document.addEventListener('visibilitychange', changed);
      addEventListener('pagehide', leaving);
      return () => {
        for (const event of events) document.removeEventListener(event, active);
        document.removeEventListener('visibilitychange', changed);
        removeEventListener('pagehide', leaving);
      };
    },
  };
}
