import postgres, { type Sql } from 'postgres';
import type { Lab, LabDatabase } from '../lab/lab.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';

const SMALL = 10_000;
const LARGE = 200_000;
const LARGE_FULL = 1_000_000;
const CALLS = 60;
const ROUNDS = 3;

/** The leaderboard among many students, beside the same among ten thousand and the plain ways. */
export async function leaderboard(lab: Lab, { full }: { full: boolean }): Promise<Row[]> {
  const many = full ? LARGE_FULL : LARGE;
  await using small = await lab.database();
  await using large = await lab.database();
  await fill(small, SMALL);
  await fill(large, many);
  const { id, score } = await somebody(large.sql);
  const near = await somebody(small.sql);
  const times = await inTurns(
    {
      top: () => time(() => large.sql`select * from public.leaderboard limit 100`),
      topSmall: () => time(() => small.sql`select * from public.leaderboard limit 100`),
      topGuide: () => time(() => large.sql`select * from guide_leaderboard limit 100`, 1),
      rank: () => time(() => large.sql`select 1 + private.students_above('global', ${score})`),
      rankSmall: () =>
        time(() => small.sql`select 1 + private.students_above('global', ${near.score})`),
      rankPlain: () => time(() => countAbove(large.sql, score), 5),
      standing: () => time(() => standing(large.sql, id)),
      standingSmall: () => time(() => standing(small.sql, near.id)),
      change: () => time(() => changeScore(large.sql, id)),
      changeSmall: () => time(() => changeScore(small.sql, near.id)),
      changePlain: () => time(() => changePlain(large.sql, id)),
    },
    ROUNDS,
  );
  const compare = (
    name: string,
    value: keyof typeof times,
    baseline: keyof typeof times,
    atMost: number | null,
  ) =>
    row(
      name,
      'ms',
      { value: median(times[value]), baseline: median(times[baseline]) },
      atMost === null ? null : { atMost },
    );
  const among = many.toLocaleString('en');
  return [
    compare(`top 100 of ${among}, vs the guide's view`, 'top', 'topGuide', 0.001),
    compare(`top 100 of ${among}, vs of 10,000`, 'top', 'topSmall', null),
    compare(`own rank among ${among}, vs count(*)`, 'rank', 'rankPlain', 0.05),
    compare(`own rank among ${among}, vs among 10,000`, 'rank', 'rankSmall', null),
    compare(`rank and neighbours among ${among}, vs 10,000`, 'standing', 'standingSmall', null),
    compare(`a score changed among ${among}, vs a plain update`, 'change', 'changePlain', 1.7),
    compare(`a score changed among ${among}, vs among 10,000`, 'change', 'changeSmall', null),
  ];
}

/** The median of calls, one after another, ms. */
async function time(call: () => Promise<unknown>, calls = CALLS): Promise<number> {
  const samples: number[] = [];
  for (let number = 0; number < calls; number += 1) {
    const began = performance.now();
    await call();
    samples.push(performance.now() - began);
  }
  return median(samples);
}

const standing = (sql: Sql, id: string) =>
  sql`select private.leaderboard_standing('global', ${id})`;

const countAbove = (sql: Sql, score: number) => sql`
  select 1 + count(*) from private.leaderboard_scores
  where board = 'global' and shown_score > ${score}`;

/** What a completion does to a board. */
const changeScore = (sql: Sql, id: string) => sql`
  insert into private.leaderboard_scores as had (board, user_id, score, shown_score, week)
  values ('global', ${id}, 1, 1, private.week_of(now()))
  on conflict (board, user_id) do update
  set
    score = had.score + excluded.score,
    shown_score = had.shown_score + excluded.score,
    score_before_week = case when had.week = excluded.week then had.score_before_week else had.score end,
    week = excluded.week`;

/** The same change where nothing but a sorted list is kept. */
const changePlain = (sql: Sql, id: string) => sql`
  update bench_scores set score = score + 1 where user_id = ${id}`;

/** A student in the middle. */
async function somebody(sql: Sql): Promise<{ id: string; score: number }> {
  const [row] = await sql<{ id: string; score: number }[]>`
    select user_id as id, score
    from private.leaderboard_scores
    where board = 'global'
    order by score
    offset (select count(*) / 2 from private.leaderboard_scores where board = 'global')
    limit 1`;
  if (!row) throw new Error('There is nobody on the leaderboard');
  return row;
}

/** So many students with two courses and certificates each, some more points, and their counts. */
async function fill(database: LabDatabase, students: number): Promise<void> {
  // As superuser without triggers: a million sign-ups would take the better part of an hour.
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe(`
      set session_replication_role = replica;
      set synchronous_commit = off;
      insert into public.courses (id, slug, title, status)
      select gen_random_uuid(), 'course-' || number, 'Course ' || number, 'published'
      from generate_series(1, 10) as number;
      insert into public.users (id, email, first_name, last_name)
      select gen_random_uuid(), 'student' || number || '@bench.test', 'Student', number::text
      from generate_series(1, ${students}) as number;
      insert into public.learning_stats (user_id, courses_completed, certificates_earned, total_time_spent)
      select id, 2, 2, floor(-ln(1 - random()) * 3000) from public.users;
      drop index public.enrollments_of_student_newest_first, public.enrollments_of_course_newest_first;
      drop index public.certificates_by_course;
      insert into public.enrollments (user_id, course_id, status, completed_at)
      select users.id, courses.id, 'completed', now()
      from public.users, (select id from public.courses limit 2) as courses;
      insert into public.certificates (user_id, course_id)
      select user_id, course_id from public.enrollments;
      insert into private.leaderboard_scores (board, user_id, score, shown_score, counted_score, week)
      select 'global', user_id, score, score, score, private.week_of(now())
      from (select user_id, 3000 + total_time_spent as score from public.learning_stats) as scores;
      insert into private.leaderboard_counts (board, level, bucket, students)
      select 'global', level, score >> (6 * level), count(*)
      from private.leaderboard_scores, generate_series(0, 2) as level
      group by 2, 3;
      create table bench_scores (user_id uuid primary key, score integer not null);
      insert into bench_scores select user_id, score from private.leaderboard_scores;
      create index on bench_scores (score, user_id);
      grant select, update on bench_scores to postgres;
      ${GUIDE_VIEW}
      grant select on guide_leaderboard to postgres;
    `);
    await admin.unsafe('vacuum analyze');
  } finally {
    await admin.end();
  }
}

/** The view of the guide, with our names of tables; it multiplies courses with certificates. */
const GUIDE_VIEW = `
  create view guide_leaderboard as
  select
    u.id as user_id, u.first_name, u.last_name, u.avatar_url,
    count(ue.id) as courses_completed,
    count(ucert.id) as certificates_earned,
    coalesce(ls.total_time_spent, 0) as total_time_spent,
    coalesce(ls.average_score, 0) as average_score,
    (count(ue.id) * 100 + count(ucert.id) * 50 + coalesce(ls.total_time_spent, 0) * 0.1) as total_points
  from users u
  left join enrollments ue on u.id = ue.user_id and ue.completed_at is not null
  left join certificates ucert on u.id = ucert.user_id
  left join learning_stats ls on u.id = ls.user_id
  where u.role = 'student' and u.is_active = true
  group by u.id, u.first_name, u.last_name, u.avatar_url, ls.total_time_spent, ls.average_score
  order by total_points desc;`;
