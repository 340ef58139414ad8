import type { Activity, ActivityEvents, ActivityFeed, CourseStats } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isActivityEvent = isOneOf<ActivityEvents>({
  'activity.created': true,
  'stats.changed': true,
  'stats.online': true,
});

/** The part of a feed that is loaded, newest first, from the newest down to a page's end. */
export type FeedWindow = {
  items: readonly Activity[];
  nextCursor: string | null;
  /** Something happened that no event shows (a feed of all courses hears only that it did). */
  isStale: boolean;
};

/** The window that an answer of `activity.feed` opens. */
export function toWindow({ items, nextCursor }: ActivityFeed): FeedWindow {
  return { items, nextCursor, isStale: false };
}

/** A window with the page below it. */
export function withPage(window: FeedWindow, page: FeedWindow): FeedWindow {
  const known = new Set(window.items.map(({ id }) => id));
  const below = page.items.filter(({ id }) => !known.has(id));
  return { ...window, items: [...window.items, ...below], nextCursor: page.nextCursor };
}

/** The feed of a course after an event of its staff's topic. */
export function applyToFeed(window: FeedWindow, event: LiveEvent, courseId: string): FeedWindow {
  if (!isActivityEvent(event) || event.event !== 'activity.created') return window;
  const activity = { ...event.data.activity, courseId };
  const place = window.items.findIndex((item) => compare(activity, item) < 0);
  // An import may tell of the past: below what is loaded, the next page brings it.
  if (place < 0 && window.nextCursor !== null) return window;
  const items = window.items.toSpliced(place < 0 ? window.items.length : place, 0, activity);
  return { ...window, items };
}

/** Negative when `a` stands before `b`: newest first. Times have a fixed width, so text order does. */
function compare(a: Activity, b: Activity): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  return a.id > b.id ? -1 : 1;
}

/** The figures of a course after an event of its staff's topic. */
export function applyToStats(stats: CourseStats, event: LiveEvent): CourseStats {
  if (!isActivityEvent(event)) return stats;
  switch (event.event) {
    case 'activity.created':
      return afterActivity(stats, event.data.activity);
    case 'stats.changed': {
      const { enrolled = 0, completed = 0, ratingCount = 0, ratingSum = 0 } = event.data;
      const { currency, cents = 0 } = event.data;
      return withMoney(
        rated(
          {
            ...stats,
            totalEnrollments: stats.totalEnrollments + enrolled,
            completedCount: stats.completedCount + completed,
          },
          ratingCount,
          ratingSum,
        ),
        currency,
        cents,
      );
    }
    case 'stats.online':
      return { ...stats, onlineStudents: event.data.onlineStudents };
  }
}

function afterActivity(stats: CourseStats, { type, data }: Omit<Activity, 'courseId'>) {
  switch (type) {
    case 'enrolled':
      return { ...stats, totalEnrollments: stats.totalEnrollments + 1 };
    case 'completed_course':
      return { ...stats, completedCount: stats.completedCount + 1 };
    case 'reviewed':
      return rated(stats, 1, Number(data.rating));
    case 'paid':
      return withMoney(stats, String(data.currency), Number(data.amount_cents));
    case 'registered':
    case 'checked_in':
    case 'completed_lesson':
    case 'completed_module':
    case 'asked':
      return stats;
  }
}

function rated(stats: CourseStats, count: number, sum: number): CourseStats {
  if (count === 0 && sum === 0) return stats;
  const ratingCount = stats.ratingCount + count;
  const ratingSum = stats.ratingSum + sum;
  const averageRating = ratingCount > 0 ? Math.round((100 * ratingSum) / ratingCount) / 100 : null;
  return { ...stats, ratingCount, ratingSum, averageRating };
}

function withMoney(stats: CourseStats, currency: string | undefined, cents: number): CourseStats {
  if (currency === undefined || cents === 0) return stats;
  const { [currency]: before = 0, ...others } = stats.revenue;
  const after = before + cents;
  return { ...stats, revenue: after === 0 ? others : { ...others, [currency]: after } };
}
