import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { EnrollmentTasks } from '../process/enrollment.worker.ts';
import { startWorker } from '../process/worker.ts';
import { BY_HAND } from './enrollment-by-hand.ts';

const COURSES = 50;
/** A multiple of the courses, so that nobody meets the same course twice. */
const USERS = 6000;
const CONNECTIONS = 8;
const ROUND_MS = 1500;

/** The rate of enrollments with all that follows from them, beside the bare insertion. */
export async function enrollment(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url } = database;
  await sql.unsafe(BARE_TABLES);
  const users = await makeUsers(sql, USERS);
  const courses = await makeCourses(sql, COURSES);
  await sql`vacuum analyze`;
  const client = startWorker<EnrollmentTasks>(
    new URL('../process/enrollment.worker.ts', import.meta.url),
  );
  try {
    await client.ask('open', { url, connections: CONNECTIONS, users, courses });
    const rate = (statement: string) => () => client.ask('rate', { statement, forMs: ROUND_MS });
    const insertInto = (table: string) =>
      `insert into ${table} (user_id, course_id) values ($1, $2)`;
    const rates = await inTurns({
      chain: rate(insertInto('public.enrollments')),
      bare: rate(insertInto('bench_enrollments')),
      notify: rate(insertInto('bench_enrollments_notify')),
      byHand: rate(BY_HAND),
    });
    const value = median(rates.chain);
    const name = `enrollments, ${CONNECTIONS} connections, ${COURSES} courses`;
    return [
      row(`${name}, vs bare`, '1/s', { value, baseline: median(rates.bare) }, { atLeast: 0.4 }),
      row(
        `${name}, vs a pg_notify trigger`,
        '1/s',
        { value, baseline: median(rates.notify) },
        { atLeast: 1.6 },
      ),
      row(
        'the rows of the chain, by one statement, vs bare',
        '1/s',
        { value: median(rates.byHand), baseline: median(rates.bare) },
        null,
      ),
    ];
  } finally {
    await client.stop();
  }
}

/** The same table, with its keys, references and indexes, without Homeroom's triggers. */
const BARE_TABLES = ['bench_enrollments', 'bench_enrollments_notify', 'bench_enrollments_by_hand']
  .map(
    (table) => `
  create table ${table} (like public.enrollments including all);
  alter table ${table}
    add foreign key (user_id) references public.users (id) on delete cascade,
    add foreign key (course_id) references public.courses (id) on delete cascade;`,
  )
  .join('')
  .concat(
    `
  create function bench_enrollment_notify() returns trigger language plpgsql as $$
  begin
    perform pg_notify('enrollments', jsonb_build_object(
      'id', new.id, 'user_id', new.user_id, 'course_id', new.course_id
    )::text);
    return null;
  end;
  $$;
  create trigger bench_enrollment_notify after insert on bench_enrollments_notify
  for each row execute function bench_enrollment_notify();`,
  );
