import type { Activity, CourseStats } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { courseStats, studentActivity } from './store.ts';

const COURSE = 'course-1';
const TOPIC = `course:${COURSE}:staff`;
const KINDS = ['enrolled', 'completed_course', 'reviewed', 'paid', 'completed_lesson'] as const;

/** A course in which things happen. */
function busyCourse(topics: ModelTopics) {
  const feed: Activity[] = [];
  const stats: CourseStats = {
    courseId: COURSE,
    totalEnrollments: 0,
    completedCount: 0,
    ratingCount: 0,
    ratingSum: 0,
    averageRating: null,
    onlineStudents: 0,
    revenue: {},
  };
  const average = () =>
    (stats.averageRating =
      stats.ratingCount === 0
        ? null
        : Math.round((100 * stats.ratingSum) / stats.ratingCount) / 100);

  function happen(n: number): void {
    const type = KINDS[n % KINDS.length] ?? 'enrolled';
    const number = String(feed.length).padStart(6, '0');
    const data = { rating: 1 + (n % 5), amount_cents: 100 * (1 + (n % 3)), currency: 'EUR' };
    const activity = {
      ...{ id: `activity-${number}`, type, userId: `student-${n % 7}`, studentName: 'Ana' },
      ...{ createdAt: `2026-01-01T00:00:00.${number}Z`, data },
    };
    if (type === 'enrolled') stats.totalEnrollments += 1;
    if (type === 'completed_course') stats.completedCount += 1;
    if (type === 'reviewed') {
      stats.ratingCount += 1;
      stats.ratingSum += data.rating;
      average();
    }
    if (type === 'paid') stats.revenue = { EUR: (stats.revenue.EUR ?? 0) + data.amount_cents };
    feed.unshift({ ...activity, courseId: COURSE });
    topics.publish(TOPIC, 'activity.created', { activity });
  }

  function giveBack(n: number): void {
    const cents = stats.revenue.EUR ?? 0;
    const isRefund = n % 2 === 0 && cents > 0;
    if (isRefund) stats.revenue = {};
    else stats.totalEnrollments -= 1;
    topics.publish(
      TOPIC,
      'stats.changed',
      isRefund ? { currency: 'EUR', cents: -cents } : { enrolled: -1 },
    );
  }

  return {
    feed,
    stats,
    api: {
      activity: {
        feed: topics.snapshot(
          TOPIC,
          ({ cursor, limit = 20 }: { cursor?: string; limit?: number }) => {
            const from = cursor ? feed.findIndex(({ id }) => id < cursor) : 0;
            const items = from < 0 ? [] : feed.slice(from, from + limit);
            const last = items.at(-1);
            const hasMore = last !== undefined && last !== feed.at(-1);
            return { items, nextCursor: hasMore ? last.id : null };
          },
        ),
        stats: topics.snapshot(TOPIC, () => stats),
      },
    },
    change: (n: number) => (n % 5 === 0 ? giveBack(n) : happen(n)),
    changeAll: () => happen(0),
  } satisfies Model & { feed: Activity[]; stats: CourseStats };
}

it('shows the figures and the feed of the course, whatever the network does', async () => {
  await expectConvergence(busyCourse, (connection, model) => {
    const stats = courseStats(connection, COURSE);
    const feed = studentActivity(connection, COURSE);
    return [
      { store: stats, compare: () => expect(shownBy(stats).stats).toEqual(model.stats) },
      {
        store: feed,
        act: () => void feed.loadMore(),
        compare() {
          const { activities } = shownBy(feed);
          expect(activities.length).toBeGreaterThan(0);
          expect(activities).toEqual(model.feed.slice(0, activities.length));
        },
      },
    ];
  });
});
