import type { RosterEvents, RosterRow } from '@homeroom/api/contract';
import type { LiveEvent, RosterPage } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

/** What of a course's roster is loaded. */
export type RosterWindow = {
  items: readonly RosterRow[];
  nextCursor: string | null;
  /** An event told that something is there now which it didn't show: only a snapshot does. */
  isOld: boolean;
};

/** What the feed tells of somebody who is new in the course. */
type FeedEvents = { 'activity.created': { activity: { type: string; userId: string } } };

const isRosterEvent = isOneOf<RosterEvents & FeedEvents>({
  'progress.changed': true,
  'scores.changed': true,
  'certificate.issued': true,
  'certificate.revoked': true,
  'enrollment.changed': true,
  'roster.reevaluated': true,
  'activity.created': true,
});

/** The window that pages of `progress.roster` open, each below the one before. */
export function toRosterWindow(pages: readonly RosterPage[]): RosterWindow {
  return {
    items: pages.flatMap(({ items }) => items),
    nextCursor: pages.at(-1)?.nextCursor ?? null,
    isOld: false,
  };
}

/** A window with a page below it. */
export function withRosterPage(window: RosterWindow, page: RosterWindow): RosterWindow {
  const known = new Set(window.items.map(({ enrollmentId }) => enrollmentId));
  const below = page.items.filter(({ enrollmentId }) => !known.has(enrollmentId));
  return { ...window, items: [...window.items, ...below], nextCursor: page.nextCursor };
}

/** The window after an event of the staff's topic. Pure. */
export function applyToRoster(window: RosterWindow, event: LiveEvent): RosterWindow {
  if (!isRosterEvent(event)) return window;
  switch (event.event) {
    case 'progress.changed': {
      const {
        userId,
        studentName: _,
        courseVersion: _version,
        lastActiveAt,
        ...counted
      } = event.data;
      return withRow(window, userId, (row) => ({
        ...row,
        ...counted,
        lastActiveAt: later(row.lastActiveAt, lastActiveAt),
      }));
    }
    case 'scores.changed': {
      const { userId, ...scores } = event.data;
      return withRow(window, userId, (row) => ({ ...row, ...scores }));
    }
    case 'certificate.issued':
    case 'certificate.revoked': {
      const { userId, certificate } = event.data;
      return withRow(window, userId, (row) => ({ ...row, certificate }));
    }
    case 'enrollment.changed': {
      const { userId, isEnrolled } = event.data;
      if (isEnrolled) return { ...window, isOld: true };
      return { ...window, items: window.items.filter((row) => row.userId !== userId) };
    }
    case 'activity.created': {
      const { type, userId } = event.data.activity;
      const isNew = type === 'enrolled' && !window.items.some((row) => row.userId === userId);
      return isNew ? { ...window, isOld: true } : window;
    }
    case 'roster.reevaluated':
      return { ...window, isOld: true };
  }
}

function withRow(
  window: RosterWindow,
  userId: string,
  change: (row: RosterRow) => RosterRow,
): RosterWindow {
  if (!window.items.some((row) => row.userId === userId)) return window;
  const items = window.items.map((row) => (row.userId === userId ? change(row) : row));
  return { ...window, items };
}

/** Times have a fixed width, so text order does. */
function later(a: string | null, b: string): string {
  return a !== null && a > b ? a : b;
}
