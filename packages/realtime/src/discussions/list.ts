import type { Thread, ThreadList } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import type { ThreadFilters } from './api.ts';
import { isThreadListEvent } from './events.ts';

/** A thread's place in the list: pinned first, then the newest message; the id decides. */
type Place = Pick<Thread, 'isPinned' | 'lastMessageAt' | 'id'>;

/** A course's threads: everything that the filters let through, down to `floor`. */
export type ThreadListWindow = {
  items: readonly Thread[];
  /** The last place of the last page; null when the list is loaded to its end. */
  floor: Place | null;
  nextCursor: string | null;
};

/** Negative when `a` stands before `b`. Times have a fixed width, so text order does. */
export function compare(a: Place, b: Place): number {
  if (a.isPinned !== b.isPinned) return a.isPinned ? -1 : 1;
  if (a.lastMessageAt !== b.lastMessageAt) return a.lastMessageAt > b.lastMessageAt ? -1 : 1;
  if (a.id !== b.id) return a.id > b.id ? -1 : 1;
  return 0;
}

/** The window that an answer of `discussions.threads` opens. */
export function toListWindow({ items, nextCursor }: ThreadList): ThreadListWindow {
  const last = items.at(-1);
  return { items, nextCursor, floor: nextCursor !== null && last ? last : null };
}

/** A window with the page below it. */
export function withPage(window: ThreadListWindow, page: ThreadListWindow): ThreadListWindow {
  const { floor } = window;
  const below = page.items.filter((thread) => floor && compare(floor, thread) < 0);
  return { ...page, items: [...window.items, ...below] };
}

/** The window after an event of the course's topic. Pure. */
export function applyToList(
  window: ThreadListWindow,
  event: LiveEvent,
  filters: ThreadFilters,
): ThreadListWindow {
  if (!isThreadListEvent(event)) return window;
  switch (event.event) {
    case 'thread.removed':
      return without(window, event.data.threadId);
    case 'thread.activity':
      return event.data.threads.reduce(
        (changed, thread) => withThread(changed, thread, filters),
        window,
      );
    case 'thread.created':
    case 'thread.updated':
      return withThread(window, event.data.thread, filters);
  }
}

function without(window: ThreadListWindow, id: string): ThreadListWindow {
  return { ...window, items: window.items.filter((thread) => thread.id !== id) };
}

function withThread(
  window: ThreadListWindow,
  thread: Thread,
  filters: ThreadFilters,
): ThreadListWindow {
  const others = without(window, thread.id);
  const isBelow = window.floor !== null && compare(window.floor, thread) < 0;
  if (isBelow || !matches(filters, thread)) return others;
  return { ...others, items: [...others.items, thread].sort(compare) };
}

function matches({ lessonId, isAnswered }: ThreadFilters, thread: Thread): boolean {
  if (lessonId !== undefined && thread.lessonId !== lessonId) return false;
  return isAnswered === undefined || (thread.answerId !== null) === isAnswered;
}
