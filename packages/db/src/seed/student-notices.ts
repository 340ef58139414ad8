import { accounts } from './people.ts';
import { idOf } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, HOUR_MS, iso } from './time.ts';

type Notice = Pick<Rows['notifications'][number], 'type' | 'title' | 'message'> &
  Partial<Rows['notifications'][number]> & { to: keyof typeof accounts; daysAgo: number };

/** What only the demo accounts were told, beside what follows from what they did. */
const NOTICES: (Notice & { slug?: string; isUnread?: boolean })[] = [
  {
    to: 'student',
    daysAgo: 52,
    type: 'system',
    title: 'Welcome to Homeroom',
    message: 'Pick a course from the catalogue; your place in it is kept on every device.',
  },
  {
    to: 'student',
    daysAgo: 21.2,
    type: 'announcement',
    slug: 'practical-sql',
    title: 'The recording of “Bring your messy data”',
    message: 'The tables we cleaned are linked from the discussion, with both ways of doing it.',
  },
  {
    to: 'student',
    daysAgo: 12.6,
    type: 'mention',
    slug: 'practical-sql',
    title: 'Marta Lindqvist answered you',
    message: 'In “count(*) says 1 for members without loans??”',
  },
  {
    to: 'student',
    daysAgo: 6.1,
    type: 'announcement',
    slug: 'writing-clearly',
    title: 'Editing clinic: places open',
    message: 'Twelve places, one page each. Those who have finished the course are welcome too.',
  },
  {
    to: 'student',
    daysAgo: 2.4,
    type: 'message',
    title: 'Jonas Weber wrote to you',
    message: 'Also: do you still have the link to the workshop?',
    isUnread: true,
  },
  {
    to: 'student',
    daysAgo: 0.3,
    type: 'announcement',
    slug: 'practical-sql',
    title: 'Reading query plans together, in three days',
    message: 'Send your slow query by tomorrow evening, with the plan if you have it.',
    isUnread: true,
  },
  {
    to: 'student2',
    daysAgo: 31,
    type: 'system',
    title: 'Welcome to Homeroom',
    message: 'Pick a course from the catalogue; your place in it is kept on every device.',
  },
  {
    to: 'student2',
    daysAgo: 10.8,
    type: 'mention',
    slug: 'bread-a-small-science',
    title: 'Tomás Abreu answered you',
    message: 'In “Dough like soup at 75% hydration”',
  },
  {
    to: 'student2',
    daysAgo: 1.1,
    type: 'announcement',
    slug: 'bread-a-small-science',
    title: 'Shaping, at the same table: tomorrow',
    message: 'The kitchen opens half an hour earlier. There are aprons.',
    isUnread: true,
  },
  {
    to: 'student2',
    daysAgo: 0.2,
    type: 'subscription',
    level: 'warning',
    title: 'Your plan ends in 7 days',
    message: 'Renew it to keep your paid courses; what you have finished stays yours anyway.',
    isUnread: true,
  },
  {
    to: 'admin',
    daysAgo: 30,
    type: 'system',
    level: 'success',
    title: 'Homeroom is set up',
    message: 'Database, sign-in and live updates answer.',
  },
  {
    to: 'admin',
    daysAgo: 1.5,
    type: 'system',
    level: 'warning',
    title: 'A payment needed three attempts',
    message: 'It went through. The provider reported a timeout twice.',
    isUnread: true,
  },
];

/** Writes what students were told: their certificates, their achievements, and the rest by hand. */
export function addStudentNotifications(rows: Rows, now: number) {
  const readBefore = iso(now - 2 * DAY_MS);
  const titles = new Map(rows.courses.map((course) => [course.id, course.title]));
  const readAt = (at: string, isRead = at < readBefore) =>
    isRead ? iso(Date.parse(at) + 5 * HOUR_MS) : null;

  for (const { id = '', userId, courseId, issuedAt } of rows.certificates) {
    const at = String(issuedAt);
    rows.notifications.push({
      id: idOf('notification', id),
      userId,
      type: 'certificate',
      level: 'success',
      title: 'Course Completed!',
      message: `Congratulations! You've completed "${titles.get(courseId) ?? ''}", and your certificate is ready.`,
      courseId,
      relatedEntityType: 'certificate',
      relatedEntityId: id,
      createdAt: at,
      readAt: readAt(at),
    });
  }
  for (const { userId, achievementKey, earnedAt } of rows.userAchievements) {
    const at = String(earnedAt);
    const achievement = rows.achievements.find(({ key }) => key === achievementKey);
    rows.notifications.push({
      id: idOf('notification', userId, achievementKey),
      userId,
      type: 'achievement',
      level: 'success',
      title: 'Achievement Unlocked!',
      message: `You've unlocked the "${achievement?.title ?? ''}" achievement!`,
      data: { achievements: [{ key: achievementKey, title: achievement?.title }] },
      createdAt: at,
      readAt: readAt(at),
    });
  }
  for (const { to, daysAgo, slug, isUnread, ...notice } of NOTICES) {
    const at = iso(now - daysAgo * DAY_MS);
    rows.notifications.push({
      ...notice,
      id: idOf('notification', to, notice.title, daysAgo),
      userId: accounts[to].id,
      courseId: rows.courses.find((course) => course.slug === slug)?.id ?? null,
      createdAt: at,
      readAt: readAt(at, !isUnread),
    });
  }
}
