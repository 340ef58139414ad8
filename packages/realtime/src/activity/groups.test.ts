import type { Activity } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { groupActivities } from './groups.ts';

const START = Date.parse('2026-11-21T12:00:00Z');

function happened(minutesAgo: number, userId: string, change: Partial<Activity> = {}): Activity {
  return {
    id: `${userId}-${minutesAgo}`,
    courseId: 'course-1',
    type: 'enrolled',
    userId,
    studentName: userId,
    createdAt: new Date(START - minutesAgo * 60_000).toISOString(),
    data: {},
    ...change,
  };
}

const shown = (activities: Activity[]) =>
  groupActivities(activities).map(
    ({ newest, otherCount, count }) =>
      `${newest.studentName}+${otherCount} ${newest.type} ×${count}`,
  );

it('says the newest name and how many others, over what lies between', () => {
  expect(
    shown([
      happened(0, 'Ana'),
      happened(1, 'Bo', { type: 'reviewed' }),
      happened(2, 'Cy'),
      happened(50, 'Dee'),
    ]),
  ).toEqual(['Ana+2 enrolled ×3', 'Bo+0 reviewed ×1']);
});

it('counts a student once, however much they did', () => {
  const lesson = { type: 'completed_lesson' } as const;
  expect(shown([happened(0, 'Ana', lesson), happened(5, 'Ana', lesson)])).toEqual([
    'Ana+0 completed_lesson ×2',
  ]);
});

it('keeps apart what is of other courses, workshops or hours', () => {
  expect(
    shown([
      happened(0, 'Ana'),
      happened(1, 'Bo', { courseId: 'course-2' }),
      happened(2, 'Cy', { type: 'registered', data: { workshop_id: 'a' } }),
      happened(3, 'Dee', { type: 'registered', data: { workshop_id: 'b' } }),
      happened(90, 'Eve'),
    ]),
  ).toHaveLength(5);
});

it('keeps its key while newer happenings join', () => {
  const before = groupActivities([happened(2, 'Bo'), happened(3, 'Cy')]);
  const after = groupActivities([happened(1, 'Ana'), happened(2, 'Bo'), happened(3, 'Cy')]);
  expect(after[0]?.key).toBe(before[0]?.key);
});
