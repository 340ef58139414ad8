import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { PortalTasks } from '../process/portal.worker.ts';
import { startWorker, type Worker } from '../process/worker.ts';

/** Each has lessons of their own done, and stays below the API's limit of calls a minute. */
const STUDENTS = 60;
const LESSONS = [30, 1_000];
/** Of a short page in one turn, of a long one a third: the first turn has to warm the engine up. */
const PAGES = 120;
const AT_ONCE = 4;
const ROUNDS = 4;

const run = promisify(execFile);
const inRepository = (path: string) =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** The course page as the portal renders it, beside a bare SvelteKit page that asks the same. */
export async function coursePage(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const students = await makeUsers(database.sql, STUDENTS, 'student');
  const courses = await makeCourses(database.sql, LESSONS.length);
  const slugs = await Promise.all(
    LESSONS.map((lessons, at) => fillCourse(database.sql, courses[at] ?? '', students, lessons)),
  );
  await database.sql`vacuum analyze`;
  const folders = {
    portal: inRepository('apps/student'),
    bare: inRepository('packages/bench/bare-page'),
  };
  for (const folder of Object.values(folders)) await build(folder);
  const [portal, bare] = [start(), start()];
  try {
    const env = environment(database.url);
    const at = {
      portal: await portal.ask('open', { folder: `${folders.portal}/build`, env }),
      bare: await bare.ask('open', { folder: `${folders.bare}/build`, env }),
    };
    const portalPages = (path: string, count = PAGES) =>
      pages(portal, students, count, (id) => get(`${at.portal}${path}`, sessionCookie(id)));
    const barePages = (path: string, count = PAGES) =>
      pages(bare, students, count, (id) => get(`${at.bare}${path}`, `user=${id}`));
    const [short = '', long = ''] = slugs.map((slug) => `/courses/${slug}`);
    const seen = await inTurns(
      {
        short: () => portalPages(short),
        shortBare: () => barePages(short),
        long: () => portalPages(long, PAGES / 3),
        longBare: () => barePages(long, PAGES / 3),
        catalogue: () => portalPages('/courses'),
      },
      ROUNDS,
    );
    const compare = (name: string, ours: keyof typeof seen, base: keyof typeof seen) =>
      row(
        `${name}, pages per CPU-second of the server, vs a bare page with the same SQL`,
        '1/s',
        { value: perSecond(seen[ours]), baseline: perSecond(seen[base]) },
        { atLeast: 0.6 },
      );
    const between = (name: string, ours: keyof typeof seen, base: keyof typeof seen) =>
      row(name, 'ms', { value: latency(seen[ours]), baseline: latency(seen[base]) }, null);
    return [
      compare('course page of 30 lessons', 'short', 'shortBare'),
      compare('course page of 1,000 lessons', 'long', 'longBare'),
      between('course page of 1,000 lessons, p50, vs of 30', 'long', 'short'),
      between('catalogue with 1,000 lessons, p50, vs a course page of 30', 'catalogue', 'short'),
    ];
  } finally {
    await Promise.all([portal.stop(), bare.stop()]);
  }
}

const start = () =>
  startWorker<PortalTasks>(new URL('../process/portal.worker.ts', import.meta.url));

const build = (cwd: string) =>
  run(process.execPath, [inRepository('packages/bench/node_modules/vite/bin/vite.js'), 'build'], {
    cwd,
  });

function environment(url: string): Record<string, string> {
  return {
    DATABASE_URL: url,
    PUBLIC_SUPABASE_URL: 'http://127.0.0.1:1',
    PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_bench',
    SUPABASE_JWT_SECRET: JWT_SECRET,
    LOG_LEVEL: 'silent',
    NODE_ENV: 'production',
  };
}

/** The cookie that @supabase/ssr keeps a session in. */
function sessionCookie(userId: string): string {
  const session = {
    access_token: tokenOf(userId),
    refresh_token: 'unused',
    token_type: 'bearer',
    expires_in: 3_600,
    expires_at: Math.floor(Date.now() / 1000) + 3_600,
    user: { id: userId, email: `${userId}@homeroom.test` },
  };
  return `homeroom-student=base64-${Buffer.from(JSON.stringify(session)).toString('base64url')}`;
}

/** Uncompressed: the bare page never is. */
async function get(url: string, cookie: string): Promise<void> {
  const headers = { cookie, 'accept-encoding': 'identity' };
  const response = await fetch(url, { headers, redirect: 'manual' });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
}

type Seen = { perCpuSecond: number; p50: number };

const perSecond = (rounds: Seen[]) => median(rounds.map(({ perCpuSecond }) => perCpuSecond));
const latency = (rounds: Seen[]) => median(rounds.map(({ p50 }) => p50));

/** Asks for pages, some at a time, each as another student. */
async function pages(
  server: Worker<PortalTasks>,
  students: string[],
  count: number,
  ask: (student: string) => Promise<void>,
): Promise<Seen> {
  const before = await server.cpuSeconds();
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) {
        const student = students[next % students.length] ?? '';
        next += 1;
        const began = performance.now();
        await ask(student);
        times.push(performance.now() - began);
      }
    }),
  );
  return { perCpuSecond: count / ((await server.cpuSeconds()) - before), p50: median(times) };
}

/** Gives a course so many lessons in modules of twenty, a third of them done by everybody; its slug. */
async function fillCourse(
  sql: Sql,
  course: string,
  students: string[],
  lessons: number,
): Promise<string> {
  const slug = `lessons-${lessons}`;
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`update public.courses set slug = ${slug}, title = ${slug} where id = ${course}`;
    await tx`
      with made as (
        insert into public.modules (course_id, title, position)
        select ${course}, 'Module ' || number, number
        from generate_series(1, ${Math.ceil(lessons / 20)}::integer) as number
        returning id, position
      )
      insert into public.lessons (module_id, title, position, duration_minutes)
      select made.id, 'What lesson ' || number || ' is about', number, 10
      from generate_series(1, ${lessons}::integer) as number
      join made on made.position = 1 + (number - 1) / 20`;
    await tx`
      insert into public.enrollments (user_id, course_id)
      select student, ${course} from unnest(${students}::uuid[]) as student`;
    await tx`
      insert into public.lesson_completions (user_id, lesson_id)
      select student, lessons.id
      from unnest(${students}::uuid[]) as student
      join public.modules on modules.course_id = ${course}
      join public.lessons on lessons.module_id = modules.id
      where lessons.position % 3 = 0`;
  });
  return slug;
}
