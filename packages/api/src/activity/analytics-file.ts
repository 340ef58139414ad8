import { csvOf } from '../server/csv.ts';
import type { Analytics } from './analytics-contract.ts';

/** The charts of which there are files. */
export const CHARTS = ['days', 'funnel', 'ratings', 'quizzes', 'hours'] as const;

/** The rows of one chart as a CSV file. */
export function analyticsFile(chart: (typeof CHARTS)[number], data: Analytics): string {
  switch (chart) {
    case 'days':
      return csvOf(
        [
          ['Day', ({ day }) => day],
          ['Enrolled', ({ enrolled }) => enrolled],
          ['Completed', ({ completed }) => completed],
        ],
        data.days,
      );
    case 'funnel':
      return csvOf(
        [
          ['Module', ({ moduleTitle }) => moduleTitle],
          ['Lesson', ({ title }) => title],
          ['Completed', ({ completed }) => completed],
          ['Stopped here', ({ stopped }) => stopped],
          ['Median seconds', ({ medianSeconds }) => medianSeconds],
          ['Expected seconds', ({ expectedSeconds }) => expectedSeconds],
        ],
        data.funnel,
      );
    case 'ratings':
      return csvOf(
        [
          ['Rating', ({ rating }) => rating],
          ['Reviews', ({ count }) => count],
        ],
        data.ratings,
      );
    case 'quizzes':
      return csvOf(
        [
          ['Quiz', ({ title }) => title],
          ['Attempts', ({ attempts }) => attempts],
          ['Students', ({ students }) => students],
          ['Passed', ({ passed }) => passed],
          ['Average score', ({ averageScore }) => averageScore],
        ],
        data.quizzes,
      );
    case 'hours':
      return csvOf(
        [
          ['Hour', ({ hour }) => hour],
          ['Happenings', ({ count }) => count],
        ],
        data.hours,
      );
  }
}
