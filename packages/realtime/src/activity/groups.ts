import type { Activity } from '@homeroom/api/contract';

/** The same happening, by several students one soon after another: "Ana and 5 others enrolled". */
export type ActivityGroup = {
  /** Of its oldest activity: it stays while newer ones join. */
  key: string;
  newest: Activity;
  /** How many other students there are besides the newest. */
  otherCount: number;
  /** How many happenings it stands for. */
  count: number;
};

/** Happenings further apart than this are told one by one, ms. */
const TOGETHER_MS = 60 * 60_000;

/** Lessons are many; that somebody learns is what counts. */
const SUBJECTS = ['workshop_id', 'thread_id'] as const;

function subjectOf({ type, courseId, data }: Activity): string {
  return [type, courseId, ...SUBJECTS.map((key) => data[key])].join(' ');
}

/**
 * A feed, newest first, with what belongs together as one: the same kind of happening in the same
 * course (and workshop), each within an hour of the next. What lies between doesn't part them, so
 * a busy hour reads as a few lines. A group stands where its newest happening stands.
 */
export function groupActivities(activities: readonly Activity[]): ActivityGroup[] {
  type Open = ActivityGroup & { oldestAt: number; people: Set<string> };
  const groups: Open[] = [];
  const latest = new Map<string, Open>();
  for (const activity of activities) {
    // The lesson that ended the module is told already.
    if (activity.type === 'completed_module') continue;
    const at = Date.parse(activity.createdAt);
    const subject = subjectOf(activity);
    const open = latest.get(subject);
    if (open && open.oldestAt - at <= TOGETHER_MS) {
      open.people.add(activity.userId);
      open.key = activity.id;
      open.oldestAt = at;
      open.count += 1;
      open.otherCount = open.people.size - 1;
      continue;
    }
    const people = new Set([activity.userId]);
    const group = { key: activity.id, newest: activity, otherCount: 0, count: 1 };
    const opened = { ...group, oldestAt: at, people };
    latest.set(subject, opened);
    groups.push(opened);
  }
  return groups.map(({ key, newest, otherCount, count }) => ({ key, newest, otherCount, count }));
}
