import type { Overview } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { figuresOf } from './figures.ts';

const stats = {
  ...{ courseId: 'a', totalEnrollments: 3, completedCount: 1, ratingCount: 2, ratingSum: 7 },
  ...{ averageRating: 3.5, onlineStudents: 1, revenue: { EUR: 5000 } },
};
const quiet = { day: '2026-01-01', enrolled: 0, completed: 0, ratingCount: 0, ratingSum: 0 };
const days: Overview['days'] = Array.from({ length: 14 }, (_, at) => ({
  ...quiet,
  enrolled: at === 3 ? 1 : at === 13 ? 3 : 0,
  revenue: {},
}));
const shown = (given: Partial<Overview>) =>
  Object.fromEntries(
    figuresOf({
      courses: [{ id: 'a', slug: 'a', title: 'A', stats }],
      days,
      hours: [],
      ...given,
    }).map((figure) => [figure.key, figure]),
  );

it('adds up the courses, weighing ratings by how many they are', () => {
  const other = { ...stats, ratingCount: 1, ratingSum: 5, revenue: { EUR: 100, USD: 900 } };
  const figures = shown({
    courses: [stats, other].map((of) => ({ id: of.courseId, slug: '', title: '', stats: of })),
  });
  expect(figures.students?.value).toBe(6);
  expect(figures.rating?.value).toBe(4);
  expect(figures.revenue).toMatchObject({ value: 51, format: { currency: 'EUR' } });
  expect(figures.revenue?.trend).toContain('$9');
});

it('compares this week with the one before', () => {
  expect(shown({}).students?.trend).toBe('3 in 7 days, 2 more than before');
  expect(shown({}).completions?.trend).toBe('None in 14 days');
});

it('has no average before the first rating', () => {
  const unrated = { ...stats, ratingCount: 0, ratingSum: 0, averageRating: null };
  const figures = shown({ courses: [{ id: 'a', slug: 'a', title: 'A', stats: unrated }] });
  expect(figures.rating).toMatchObject({ value: null, trend: 'No ratings yet' });
});
