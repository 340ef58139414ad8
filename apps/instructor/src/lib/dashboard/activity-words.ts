import type { ActivityGroup } from '@homeroom/realtime';

/** What a line of the feed says after who: "and 5 others enrolled in". */
export type ActivityWords = { who: string; did: string };

/** A group of the feed in words; the course's title is put behind them. */
export function wordsOf({ newest, otherCount, count }: ActivityGroup): ActivityWords {
  const others = otherCount === 0 ? '' : ` and ${otherCount} other${otherCount === 1 ? '' : 's'}`;
  return { who: newest.studentName + others, did: didOf(newest.type, newest.data, count) };
}

function didOf(
  type: ActivityGroup['newest']['type'],
  data: Record<string, unknown>,
  count: number,
): string {
  const named = (key: string) => (typeof data[key] === 'string' ? `“${data[key]}”` : 'a workshop');
  switch (type) {
    case 'enrolled':
      return 'enrolled in';
    case 'registered':
      return `registered for ${named('workshop_title')} of`;
    case 'checked_in':
      return `checked in to ${named('workshop_title')} of`;
    case 'completed_lesson':
      return count === 1
        ? `finished ${named('lesson_title').replace('a workshop', 'a lesson')} of`
        : `finished ${count} lessons of`;
    case 'completed_module':
      return count === 1 ? 'finished a module of' : `finished ${count} modules of`;
    case 'completed_course':
      return 'completed';
    case 'reviewed':
      return count === 1 && typeof data.rating === 'number'
        ? `gave ${data.rating} of 5 to`
        : 'reviewed';
    case 'paid':
      return 'paid for';
    case 'asked':
      return count === 1 && typeof data.thread_title === 'string'
        ? `asked “${data.thread_title}” in`
        : 'asked in';
  }
}
