import type { Attachment } from 'svelte/attachments';

/** A tab reports this often, s; the server credits what went by since the last report. */
const REPORT_EVERY_SECONDS = 30;

/** Counts seconds in which the page could be seen. Pure: `now` in ms. */
export class VisibleTime {
  #seenSince: number | undefined;
  #milliseconds = 0;

  /** The page can be seen from now on, or can't. */
  set(isVisible: boolean, now: number): void {
    if (this.#seenSince !== undefined) this.#milliseconds += now - this.#seenSince;
    this.#seenSince = isVisible ? now : undefined;
  }

  /** Whole seconds counted; they are taken away, a rest of less than one stays. */
  take(now: number): number {
    this.set(this.#seenSince !== undefined, now);
    const seconds = Math.floor(this.#milliseconds / 1_000);
    this.#milliseconds -= seconds * 1_000;
    return seconds;
  }
}

/**
 * Reports time in a lesson while its tab can be seen, and how far down one has read (0–1). The
 * last report goes out when the tab is hidden or left.
 */
export function reportsTime(
  time: VisibleTime,
  report: (seconds: number, place: number) => void,
): Attachment<HTMLElement> {
  return (text) => {
    const send = () => {
      const seconds = time.take(Date.now());
      if (seconds > 0) report(seconds, placeIn(text));
    };
    const look = () => {
      const isVisible = document.visibilityState === 'visible';
      if (!isVisible) send();
      time.set(isVisible, Date.now());
    };
    look();
    const timer = setInterval(send, REPORT_EVERY_SECONDS * 1_000);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
      send();
      time.set(false, Date.now());
    };
  };
}

/** How much of the text lies above the lower edge of the window: 0–1. */
function placeIn(text: HTMLElement): number {
  const { top, height } = text.getBoundingClientRect();
  if (height === 0) return 0;
  return Math.min(1, Math.max(0, (window.innerHeight - top) / height));
}
