import { createApi } from '@homeroom/api/server';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';

/** Those who check in to one workshop in a round. */
const PEOPLE = 300;
/** How many of them at the same time. */
const AT_ONCE = 8;

/**
 * Check-ins by code to one workshop, each with its entry in the hash chain and all that is told of
 * it, through the API. They come one after another there, since the chain does.
 */
export async function checkIns(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url } = database;
  const people = await makeUsers(sql, PEOPLE);
  const [course = ''] = await makeCourses(sql, 1);
  const api = createApi({
    ...{ supabaseUrl: 'http://127.0.0.1:1', publishableKey: 'unused', jwtSecret: JWT_SECRET },
    ...{ databaseUrl: url, poolSize: AT_ONCE, logLevel: 'silent' as const },
    rateLimits: { query: 1_000_000_000, mutation: 1_000_000_000 },
  });
  try {
    const callers = await Promise.all(
      people.map(async (person) => api.caller(await api.verifyToken(tokenOf(person)))),
    );
    type Caller = (typeof callers)[number];
    const perSecond = async (call: (caller: Caller) => Promise<unknown>) => {
      const waiting = [...callers];
      const one = async (): Promise<void> => {
        for (let next = waiting.pop(); next; next = waiting.pop()) await call(next);
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: AT_ONCE }, one));
      return PEOPLE / ((performance.now() - began) / 1000);
    };
    const rates = await inTurns({
      async checkIns() {
        const { workshopId, code } = await makeWorkshop(sql, course, people);
        const seenAt = new Date().toISOString();
        return perSecond(({ attendance }) =>
          attendance.checkInByCode({ workshopId, code, seenAt }),
        );
      },
      me: () => perSecond(({ identity }) => identity.me()),
    });
    const [{ wrong = 0 } = {}] = await sql<{ wrong: number }[]>`
      select count(*)::integer as wrong from public.workshop_registrations
      where status <> 'checked_in'`;
    if (wrong > 0) throw new Error(`${wrong} were not checked in`);
    return [
      row(
        'check-ins by code to one workshop, logged and told (baseline: identity.me)',
        'check-ins/s',
        { value: median(rates.checkIns), baseline: median(rates.me) },
        null,
      ),
    ];
  } finally {
    await api.close();
  }
}

/** A workshop that goes on now, with places for some people, and its code. */
async function makeWorkshop(sql: Sql, course: string, people: readonly string[]) {
  const [{ id: workshopId } = { id: '' }] = await sql<{ id: string }[]>`
    insert into public.workshops (course_id, title, starts_at, ends_at, status, is_open)
    values (${course}, 'Now', now() - interval '1 minute', now() + interval '1 hour', 'live', true)
    returning id`;
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      insert into public.workshop_registrations (workshop_id, user_id)
      select ${workshopId}, person from unnest(${[...people]}::uuid[]) as person`;
  });
  const [{ code } = { code: '' }] = await sql<{ code: string }[]>`
    select private.workshop_code(${workshopId}, private.code_step(clock_timestamp())) as code`;
  return { workshopId, code };
}
