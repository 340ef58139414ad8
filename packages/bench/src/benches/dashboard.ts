import { createApi, type Api } from '@homeroom/api/server';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';

const SMALL = 10_000;
const LARGE = 1_000_000;
const COURSES = 10;
const STUDENTS = 2000;
const CALLS = 30;

/** An instructor's first page where much has happened in a year, and where little has. */
export async function dashboard(lab: Lab): Promise<Row[]> {
  await using small = await lab.database();
  await using large = await lab.database();
  const here = await open(small.sql, small.url, SMALL);
  const there = await open(large.sql, large.url, LARGE);
  try {
    const first = (caller: ReturnType<Api['caller']>) =>
      Promise.all([caller.activity.overview({}), caller.activity.feed({ limit: 40 })]);
    const times = await inTurns({
      large: () => there.time(first),
      small: () => here.time(first),
    });
    return [
      row(
        `dashboard’s first page, ${LARGE.toLocaleString('en')} activities vs ${SMALL.toLocaleString('en')}`,
        'ms',
        { value: median(times.large), baseline: median(times.small) },
        { atMost: 1.5 },
      ),
    ];
  } finally {
    await Promise.all([here.api.close(), there.api.close()]);
  }
}

async function open(sql: Sql, url: string, total: number) {
  const [teacher = ''] = await makeUsers(sql, 1, 'teacher');
  await sql`update public.users set role = 'instructor' where id = ${teacher}`;
  await fill(sql, teacher, total);
  const api = createApi({
    supabaseUrl: 'http://127.0.0.1:1',
    publishableKey: 'unused',
    jwtSecret: JWT_SECRET,
    databaseUrl: url,
    poolSize: 4,
    logLevel: 'silent',
    rateLimits: { query: 1_000_000_000, mutation: 1_000_000_000 },
  });
  const caller = api.caller(await api.verifyToken(tokenOf(teacher)));
  return {
    api,
    async time(call: (to: ReturnType<Api['caller']>) => Promise<unknown>) {
      const samples: number[] = [];
      for (let number = 0; number < CALLS; number += 1) {
        const began = performance.now();
        await call(caller);
        samples.push(performance.now() - began);
      }
      return median(samples);
    },
  };
}

/** Ten courses of one instructor, with as many students, whatever happens there in a year. */
async function fill(sql: Sql, teacher: string, total: number): Promise<void> {
  const students = await makeUsers(sql, STUDENTS, 'student');
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    const courses = await tx<{ id: string }[]>`
      with made as (
        insert into public.courses (slug, title, status)
        select 'course-' || number, 'Course ' || number, 'published'
        from generate_series(1, ${COURSES}::integer) as number
        returning id
      ), taught as (
        insert into public.course_instructors (course_id, user_id) select id, ${teacher} from made
      )
      select id from made`;
    const ids = courses.map(({ id }) => id);
    await tx`
      insert into public.enrollments (user_id, course_id)
      select student, course from unnest(${students}::uuid[]) as student, unnest(${ids}::uuid[]) as course`;
    await tx`
      insert into public.student_activity (user_id, course_id, activity_type, created_at)
      select
        (${students}::uuid[])[1 + number % ${STUDENTS}::integer],
        (${ids}::uuid[])[1 + number % ${COURSES}::integer],
        case when number % 50 = 0 then 'enrolled' else 'completed_lesson' end,
        now() - number * (interval '1 year' / ${total}::integer)
      from generate_series(1, ${total}::integer) as number`;
    await tx`select private.recount_courses()`;
  });
  await sql`vacuum analyze`;
}
