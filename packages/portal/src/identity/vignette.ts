import type { PortalName } from '../server/handle.ts';

/** One thing that happens in the little scene beside the forms. */
export type Happening = { who: string; what: string; progress?: number };

/** What happens there, in this order and over again: invented people, real kinds of events. */
export const scenes: Record<PortalName, { title: string; happenings: Happening[] }> = {
  student: {
    title: 'Practical SQL',
    happenings: [
      { who: 'Priya Nair', what: 'finished “Joins without fear”' },
      { who: 'You', what: 'are at lesson 9 of 12', progress: 75 },
      { who: 'Marta Lindqvist', what: 'answered your question' },
      { who: 'Jonas Weber', what: 'passed you in the leaderboard' },
      { who: 'You', what: 'finished “Counting things”', progress: 83 },
      { who: 'Hana Kim', what: 'is reading this lesson, too' },
    ],
  },
  instructor: {
    title: 'Bread: a small science',
    happenings: [
      { who: 'Lea Zimmermann', what: 'enrolled' },
      { who: 'Thandiwe Dlamini', what: 'checked in, 23 of 27 are here', progress: 85 },
      { who: 'Chiara Romano', what: 'asked about lesson 4' },
      { who: 'Hana Kim', what: 'completed the course' },
      { who: 'Diego Ruiz', what: 'checked in, 24 of 27 are here', progress: 89 },
      { who: 'Amara Okafor', what: 'rated the course: 5 of 5' },
    ],
  },
};

/** The newest `count` happenings after `step` steps, newest first, each with a key of its own. */
export function visibleHappenings(happenings: readonly Happening[], step: number, count: number) {
  return Array.from({ length: count }, (_, back) => {
    const key = step + count - 1 - back;
    const happening = happenings[key % happenings.length];
    return happening && { ...happening, key };
  }).filter((happening) => happening !== undefined);
}
