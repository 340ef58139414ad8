import { expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

/** What someone has been told, by title. */
async function toldTo({ sql }: TestDatabase, { id }: BuiltUser): Promise<string[]> {
  const rows = await sql<{ title: string }[]>`
    select title from notifications where user_id = ${id} order by created_at`;
  return rows.map(({ title }) => title);
}

/** Says what someone wants in the portal: in a course, or (null) everywhere. */
async function wish(
  { sql }: TestDatabase,
  user: BuiltUser,
  type: string,
  course: { id: string } | null,
  enabled: boolean,
): Promise<void> {
  await sql`
    insert into notification_preferences (user_id, type, course_id, enabled)
    values (${user.id}, ${type}, ${course?.id ?? null}, ${enabled})`;
}

it('lets what is said of a course go before what is said of all, both ways', async () => {
  await using db = await testDatabase();
  const [quiet, loud, other] = [await db.a.course(), await db.a.course(), await db.a.course()];
  const ann = await db.a.student().enrolledIn(quiet, loud, other);
  const tell = (title: string, course?: { id: string }) => db.sql`
    select create_notification(${ann.id}, 'mention', ${title}, 'Text',
      ${JSON.stringify(course ? { course_id: course.id } : {})}::text::jsonb)`;
  await wish(db, ann, 'mention', quiet, false);
  await tell('muted', quiet);
  await tell('heard', other);
  await wish(db, ann, 'mention', null, false);
  await wish(db, ann, 'mention', loud, true);
  await tell('muted', other);
  await tell('muted');
  await tell('heard here', loud);
  expect(await toldTo(db, ann)).toEqual(['heard', 'heard here']);
});

it('counts for an announcement too: who takes another of its courses hears it there', async () => {
  await using db = await testDatabase();
  const ina = await db.a.instructor();
  const [bread, tea] = [await db.a.course().taughtBy(ina), await db.a.course().taughtBy(ina)];
  const [muted, both, none, dear] = [
    await db.a.student().enrolledIn(bread),
    await db.a.student().enrolledIn(bread, tea),
    await db.a.student().enrolledIn(bread),
    await db.a.student().enrolledIn(bread),
  ];
  await wish(db, muted, 'announcement', bread, false);
  await wish(db, both, 'announcement', bread, false);
  await wish(db, none, 'announcement', null, false);
  await wish(db, dear, 'announcement', null, false);
  await wish(db, dear, 'announcement', bread, true);
  const id = crypto.randomUUID();
  const recipients = await db.as(ina, async (tx) => {
    await tx`select save_announcement(${id}, 'News', 'Text', ${[bread.id, tea.id]})`;
    const [row] = await tx<{ told: number }[]>`select send_announcement(${id}) as told`;
    return row?.told;
  });
  expect(recipients).toBe(2);
  const heard = await Promise.all([muted, both, none, dear].map((user) => toldTo(db, user)));
  expect(heard).toEqual([[], ['News'], [], ['News']]);
});

it('is found by one lookup in the index, however many courses have their own', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  const course = await db.a.course();
  await wish(db, ann, 'mention', course, false);
  const plan = await db.sql.begin(async (tx) => {
    await tx`set local enable_seqscan = off`;
    return tx<{ 'QUERY PLAN': string }[]>`
      explain (costs off) select enabled from notification_preferences
      where user_id = ${ann.id} and type = 'mention' and channel = 'app'
        and (course_id is null or course_id = ${course.id})
      order by course_id limit 1`;
  });
  const text = plan.map((line) => line['QUERY PLAN']).join('\n');
  expect(text).toContain('once_per_type_channel_and_course');
  expect(text).not.toContain('Sort');
});
