import { tick } from 'svelte';

/** How near to its end the page counts as being there, px: less than two lines and the composer. */
const END_NEAR_PX = 160;

/** What {@link readingPlace} looks after. */
type Options = {
  /** The list of messages; each row is marked `data-message`. */
  list(): HTMLElement | undefined;
  /** Reads whatever changes when rows come or go. */
  rows(): unknown;
  /** The newest message is loaded, so the end of the page is the end of the conversation. */
  isComplete(): boolean;
};

/** Where one reads in a page that grows at both ends. */
export type ReadingPlace = {
  /** From now on, until the reader scrolls away, what comes is followed. */
  toEnd(): Promise<void>;
  /** Shows a row, by the value of its `data-message`; false when it isn't there. */
  show(row: string): Promise<boolean>;
};

/**
 * Keeps what one reads where it is while messages come in above or below it, and follows the end
 * for who reads there. Call it while a component is being set up.
 *
 * By hand rather than by the browser's scroll anchoring, which Safari lacks, and which no browser
 * does at the very top, where older messages come in.
 */
export function readingPlace({ list, rows, isComplete }: Options): ReadingPlace {
  let anchor: { row: Element; top: number } | undefined;
  let wasAtEnd = false;
  let hasBegun = false;

  $effect(() => {
    const { style } = document.documentElement;
    style.overflowAnchor = 'none';
    return () => {
      style.overflowAnchor = '';
    };
  });
  $effect.pre(() => {
    rows();
    if (!hasBegun) return;
    wasAtEnd = isComplete() && distanceToEnd() < END_NEAR_PX;
    anchor = wasAtEnd ? undefined : firstInView(list());
  });
  $effect(() => {
    rows();
    if (!hasBegun) hasBegun = true;
    else if (wasAtEnd) scrollTo({ top: document.documentElement.scrollHeight });
    else if (anchor?.row.isConnected) {
      scrollBy(0, anchor.row.getBoundingClientRect().top - anchor.top);
    }
  });

  return {
    async toEnd() {
      await tick();
      scrollTo({ top: document.documentElement.scrollHeight });
    },
    async show(name) {
      await tick();
      const row = list()?.querySelector(`[data-message="${name}"]`);
      if (!row) return false;
      row.scrollIntoView({ block: 'center' });
      return true;
    },
  };
}

function distanceToEnd(): number {
  return document.documentElement.scrollHeight - scrollY - innerHeight;
}

function firstInView(list: HTMLElement | undefined) {
  for (const row of list?.querySelectorAll('[data-message]') ?? []) {
    const { top, bottom } = row.getBoundingClientRect();
    if (bottom > 0) return { row, top };
  }
  return undefined;
}
