import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';

type Known = {
  readAt: string | null;
  archivedAt: string | null;
  snoozedUntil: string | null;
  listedAt: string;
};
type Payload = {
  id: string;
  notification: { id: string } & Known;
  unreadDelta: number;
  through: { createdAt: string; id: string };
  readAt: string;
};

const isCounted = ({ readAt, archivedAt, snoozedUntil }: Known) =>
  readAt === null && archivedAt === null && snoozedUntil === null;

/** What a client that only follows the events believes. */
function follow(events: { event: string; payload: Payload }[]) {
  const known = new Map<string, Known>();
  let unread = 0;
  for (const { event, payload } of events) {
    switch (event) {
      case 'notification.created':
      case 'notification.updated':
        known.set(payload.notification.id, payload.notification);
        break;
      case 'notification.removed':
        known.delete(payload.id);
        break;
      case 'notifications.read':
        for (const [id, one] of known) {
          const { createdAt } = payload.through;
          const isSeen =
            one.listedAt < createdAt || (one.listedAt === createdAt && id <= payload.through.id);
          if (isSeen && isCounted(one)) known.set(id, { ...one, readAt: payload.readAt });
        }
        break;
      default:
        continue;
    }
    unread += payload.unreadDelta;
  }
  return { known, unread };
}

const action = fc.constantFrom(
  ...(['enroll', 'create', 'read', 'unread', 'readAll', 'remove', 'expire'] as const),
  ...(['archive', 'unarchive', 'snooze', 'wake'] as const),
);

it('the events add up to the rows, whatever is done at the same time', async () => {
  await using db = await testDatabase();
  const course = await db.a.course();
  const scripts = fc.array(fc.array(action, { minLength: 3, maxLength: 10 }), {
    minLength: 6,
    maxLength: 6,
  });

  await fc.assert(
    fc.asyncProperty(scripts, async (clients) => {
      const instructor = await db.a.instructor();
      await db.sql`
        insert into course_instructors (course_id, user_id) values (${course.id}, ${instructor.id})`;
      const topic = `user:${instructor.id}`;
      const deed = {
        enroll: () => db.a.student().enrolledIn(course),
        create: () =>
          db.sql`select create_notification(${instructor.id}, 'system', 'Title', 'Text')`,
        read: () =>
          db.as(
            instructor,
            (tx) => tx`
              update notifications set read_at = now()
              where id in (select id from notifications where read_at is null order by id limit 1)`,
          ),
        unread: () =>
          db.as(
            instructor,
            (tx) => tx`
              update notifications set read_at = null
              where id in (select id from notifications where read_at is not null order by id limit 1)`,
          ),
        readAll: () =>
          db.as(
            instructor,
            (tx) => tx`
              select mark_notifications_read(listed_at, id) from notifications
              where box = 'inbox' order by listed_at desc, id desc limit 1`,
          ),
        archive: () =>
          db.as(
            instructor,
            (tx) => tx`
              update notifications set archived_at = now(), snoozed_until = null
              where id in (select id from notifications order by id limit 1)`,
          ),
        unarchive: () =>
          db.as(
            instructor,
            (tx) => tx`
              update notifications set archived_at = null
              where id in (select id from notifications where box = 'archived' limit 1)`,
          ),
        // A row that others hold may be had only after the moment: refused, as anybody would be.
        snooze: () =>
          db
            .as(
              instructor,
              (tx) => tx`
                update notifications
                set archived_at = null, snoozed_until = clock_timestamp() + interval '5 milliseconds'
                where id in (select id from notifications order by id desc limit 1)`,
            )
            .catch((error: Error) => expect(error.message).toBe('SNOOZE_OUT_OF_RANGE')),
        wake: () => db.sql`select private.wake_notifications()`,
        remove: () =>
          db.as(
            instructor,
            (tx) => tx`
              delete from notifications
              where id in (select id from notifications order by id desc limit 1)`,
          ),
        expire: () => db.sql`select private.expire_notifications()`,
      };
      await Promise.all(
        clients.map(async (script) => {
          for (const step of script) await deed[step]();
        }),
      );
      const events = await db.sql<{ seq: number; event: string; payload: Payload }[]>`
        select seq::integer, event, payload from private.live_events
        where topic = ${topic} order by seq`;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      const rows = await db.sql<{ json: Known & { id: string } }[]>`
        select private.notification_json(notifications) as json from notifications
        where user_id = ${instructor.id}`;
      const { known, unread } = follow([...events]);
      expect(unread).toBe(rows.filter(({ json }) => isCounted(json)).length);
      const place = (id: string, { readAt, archivedAt, snoozedUntil, listedAt }: Known) =>
        JSON.stringify([id, readAt === null, archivedAt, snoozedUntil, listedAt]);
      expect([...known].map(([id, one]) => place(id, one)).sort()).toEqual(
        rows.map(({ json }) => place(json.id, json)).sort(),
      );
      await db.sql`delete from course_instructors where user_id = ${instructor.id}`;
    }),
    { numRuns: 40 },
  );
  const [stats] = await db.sql`
    select deadlocks::integer from pg_stat_database where datname = current_database()`;
  expect(stats?.deadlocks).toBe(0);
  expect(await db.sql`select * from private.notification_failures`).toEqual([]);
});
