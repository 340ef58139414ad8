import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median, ROUNDS } from '../measure/statistics.ts';
import type { ApiTasks } from '../process/api.worker.ts';
import { startWorker } from '../process/worker.ts';

const COURSES = 20;
/** In each course; a few of the completions finish it. */
const LESSONS = 10;
const CALLS = 120;
const AT_ONCE = 8;

/** A lesson completed through the API with all that follows, beside a procedure that does nothing. */
export async function completion(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  // One turn more than the rounds, to warm up; two competitors that complete.
  const calls = await makeCalls(database.sql, CALLS * (ROUNDS + 1) * 2);
  const server = startWorker<ApiTasks>(new URL('../process/api.worker.ts', import.meta.url));
  try {
    const base = await server.ask('open', { url: database.url });
    const complete = () => completeNext(base, calls);
    const [student = ''] = calls.map(({ token }) => token);
    const nothing = () => post(`${base}/api/trpc/identity.me`, student);
    const times = await inTurns({
      completion: () => timeOf(complete),
      nothing: () => timeOf(nothing),
      completions: () => rateOf(complete),
      nothings: () => rateOf(nothing),
    });
    return [
      row(
        'lesson completion, whole chain, vs an empty procedure, p50',
        'ms',
        { value: median(times.completion), baseline: median(times.nothing) },
        { atMost: 5 },
      ),
      row(
        `lesson completions, ${AT_ONCE} at once, vs empty procedures`,
        '1/s',
        { value: median(times.completions), baseline: median(times.nothings) },
        null,
      ),
    ];
  } finally {
    await server.stop();
  }
}

type Call = { token: string; lessonId: string };

async function completeNext(base: string, calls: Call[]): Promise<void> {
  const call = calls.pop();
  if (!call) throw new Error('There is no lesson left to complete');
  const body = JSON.stringify({ lessonId: call.lessonId });
  await post(`${base}/api/trpc/progress.completeLesson`, call.token, body);
}

/** A mutation with a body, a query without. */
async function post(url: string, token: string, body?: string): Promise<void> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
}

/** The median of calls, one after another, ms. */
async function timeOf(call: () => Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let number = 0; number < CALLS; number += 1) {
    const began = performance.now();
    await call();
    samples.push(performance.now() - began);
  }
  return median(samples);
}

/** Calls a second, so many at a time. */
async function rateOf(call: () => Promise<void>): Promise<number> {
  const began = performance.now();
  let left = CALLS;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return CALLS / ((performance.now() - began) / 1000);
}

/** So many lessons to complete: students in courses, each lesson of each of them once. */
async function makeCalls(sql: Sql, count: number): Promise<Call[]> {
  const courses = await makeCourses(sql, COURSES);
  const students = await makeUsers(sql, Math.ceil(count / LESSONS), 'student');
  const rows = await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      with module as (
        insert into public.modules (course_id, title, position)
        select course, 'A module', 1 from unnest(${courses}::uuid[]) as course
        returning id
      )
      insert into public.lessons (module_id, title, position)
      select module.id, 'Lesson ' || number, number
      from module, generate_series(1, ${LESSONS}::integer) as number`;
    return tx<{ userId: string; lessonId: string }[]>`
      with enrolled as (
        insert into public.enrollments (user_id, course_id)
        select student, (${courses}::uuid[])[1 + number % ${COURSES}::integer]
        from unnest(${students}::uuid[]) with ordinality as given (student, number)
        returning user_id, course_id
      )
      select enrolled.user_id as "userId", lessons.id as "lessonId"
      from enrolled
      join public.modules on modules.course_id = enrolled.course_id
      join public.lessons on lessons.module_id = modules.id
      order by lessons.position desc, enrolled.user_id`;
  });
  const tokens = new Map(students.map((id) => [id, tokenOf(id)]));
  return rows.map(({ userId, lessonId }) => ({ token: tokens.get(userId) ?? '', lessonId }));
}
