import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';

const STUDENTS = 100_000;
const ROUNDS = 3;

/** An announcement to all students of a course, beside a bare insert of the same notifications. */
export async function announcement(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql } = database;
  const [courseId = ''] = await makeCourses(sql, 1);
  const students = await makeUsers(sql, STUDENTS, 'student');
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      insert into public.enrollments (user_id, course_id)
      select student, ${courseId}::uuid from unnest(${students}::uuid[]) as student`;
  });
  // The same keys, references and indexes, without triggers, events and Realtime.
  await sql.unsafe(`
    create table bench_notifications (like public.notifications including all);
    alter table bench_notifications
      add foreign key (user_id) references public.users (id) on delete cascade,
      add foreign key (course_id) references public.courses (id) on delete cascade;`);
  await sql`vacuum analyze`;
  const times = await inTurns(
    {
      sent: () => timeOf(() => send(sql, courseId)),
      bare: () => timeOf(() => insert(sql, courseId)),
    },
    ROUNDS,
  );
  return [
    row(
      `announcement to ${STUDENTS.toLocaleString('en')} students, committed and told`,
      'ms',
      { value: median(times.sent), baseline: median(times.bare) },
      { atMost: 10 },
    ),
  ];
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function send(sql: Sql, courseId: string): Promise<void> {
  await sql`
    with written as (
      insert into public.announcements (author_id, title, content, status, scheduled_at)
      select user_id, 'News', 'Something that everybody should know.', 'scheduled', now()
      from public.course_instructors where course_id = ${courseId}
      returning id
    )
    insert into public.announcement_courses (announcement_id, course_id)
    select id, ${courseId}::uuid from written`;
  await sql`select private.send_due_announcement()`;
}

async function insert(sql: Sql, courseId: string): Promise<void> {
  const id = randomUUID();
  await sql`
    insert into bench_notifications (
      user_id, type, title, message, data, course_id, related_entity_type, related_entity_id,
      dedupe_key
    )
    select
      user_id, 'announcement', 'News', 'Something that everybody should know.',
      jsonb_build_object('course_id', course_id, 'course_title', 'Course 1'), course_id,
      'announcement', ${id}::uuid, 'announcement:' || ${id}
    from public.enrollments where course_id = ${courseId}::uuid`;
}
