import type { LearningStats } from '@homeroom/api/contract';

/** One figure of a student's totals. */
export type Figure = { label: string; value: number; suffix?: string };

/** A student's totals, in the order in which they are shown. */
export function figuresOf(stats: LearningStats): Figure[] {
  return [
    { label: 'Points', value: stats.points },
    { label: stats.lessonsCompleted === 1 ? 'Lesson' : 'Lessons', value: stats.lessonsCompleted },
    { label: 'Courses completed', value: stats.coursesCompleted },
    { label: 'Hours', value: stats.minutesSpent / 60 },
    { label: 'Days in a row', value: stats.currentStreakDays },
    ...(stats.averageScore === null
      ? []
      : [{ label: 'Average quiz score', value: Math.floor(stats.averageScore), suffix: ' %' }]),
  ];
}
