import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

type Entry = { userId: string; rank: number; points: number; movement: number | null };
type Standing = { rank: number | null; points: number; students: number; neighbours: Entry[] };
type Changed = { entries: Entry[]; removed: string[]; students: number; isWhole: boolean };

/** So many students at once; gives their ids. */
async function makeStudents(db: TestDatabase, count: number): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    insert into auth.users (id, email, aud, role, raw_user_meta_data)
    select
      gen_random_uuid(), 'crowd' || number || '@example.test', 'authenticated', 'authenticated',
      jsonb_build_object('first_name', 'Crowd', 'last_name', 'Number' || number)
    from generate_series(1, ${count}::integer) as number
    returning id`;
  return rows.map(({ id }) => id);
}

/** Gives points; each call is another subject. Tenths of a point. */
const award = (db: TestDatabase, student: string, tenths: number, course?: string) =>
  db.sql`
    select private.award_points(${student}, jsonb_build_array(jsonb_build_object(
      'reason', 'quiz', 'subject', gen_random_uuid(), 'tenths', ${tenths}::integer,
      'course', ${course ?? null}::uuid
    )))`;

const tell = (db: TestDatabase) => db.sql`select private.tell_leaderboards()`;

async function standingOf(db: TestDatabase, user: { id: string }, scope = 'global') {
  const [row] = await db.as(
    user,
    (tx) => tx<{ standing: Standing }[]>`
      select public.leaderboard_standing(${scope}) as standing`,
  );
  return row?.standing as Standing;
}

async function toldOn(db: TestDatabase, topic: string): Promise<Changed[]> {
  const rows = await db.sql<{ payload: Changed }[]>`
    select payload from private.live_events where topic = ${topic} order by seq`;
  return rows.map(({ payload }) => payload);
}

/** Every student's rank by the board, beside the plain one; only those that differ. */
const wrongRanks = (db: TestDatabase, board: string) => db.sql`
  select user_id, plain, 1 + private.students_above(${board}, score) as ours
  from (
    select user_id, score, rank() over (order by shown_score desc) as plain
    from private.leaderboard_scores
    where board = ${board} and shown_score is not null
  ) as ranked
  where plain <> 1 + private.students_above(${board}, score)`;

describe('ranks', () => {
  it('are those of a plain rank() after ten thousand changes, counted or not', async () => {
    await using db = await testDatabase();
    const students = await makeStudents(db, 200);
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            who: fc.nat(199),
            // Close together for ties, far apart for all three levels of counts.
            tenths: fc.oneof(fc.integer({ min: -20, max: 40 }), fc.nat(20_000)),
            then: fc.oneof(
              { weight: 40, arbitrary: fc.constant('nothing') },
              { weight: 6, arbitrary: fc.constant('hide') },
              { weight: 4, arbitrary: fc.constant('count some') },
              { weight: 1, arbitrary: fc.constant('tell') },
            ),
          }),
          { minLength: 400, maxLength: 400 },
        ),
        async (story) => {
          changes += story.length;
          await db.sql.unsafe(
            story
              .map(({ who, tenths, then }) => {
                const student = students[who] ?? '';
                const given = `select private.award_points('${student}', jsonb_build_array(
                  jsonb_build_object('reason', 'quiz', 'subject', gen_random_uuid(),
                    'tenths', ${tenths})));`;
                // As a run of the job does that has no time for more.
                if (then === 'count some')
                  return `${given}
                    select private.tell_top('global', private.count_scores('global', 7));`;
                if (then === 'tell') return `${given} select private.tell_leaderboards();`;
                if (then !== 'hide') return given;
                const isHidden = who % 2 === 0;
                return `${given} ${
                  isHidden
                    ? `insert into hidden_students values ('${student}') on conflict do nothing;`
                    : `delete from hidden_students where user_id = '${students[who - 1]}';`
                } select private.refresh_shown('${isHidden ? student : students[who - 1]}');`;
              })
              .join('\n'),
          );
          expect([...(await wrongRanks(db, 'global'))]).toEqual([]);
          const [count] = await db.sql`
            select
              private.students_on('global') as ours,
              (select count(*)::int from private.leaderboard_scores
               where board = 'global' and shown_score is not null) as plain`;
          expect(count?.['ours']).toBe(count?.['plain']);
        },
      ),
      { numRuns: 25 },
    );
    expect(changes).toBe(10_000);

    // What was told, event by event, is what there is in the end.
    await tell(db);
    const told = new Map<string, Entry>();
    for (const { entries, removed, isWhole } of await toldOn(db, 'leaderboard:global')) {
      if (isWhole) told.clear();
      for (const id of removed) told.delete(id);
      for (const entry of entries) told.set(entry.userId, entry);
    }
    const plain = await db.sql<{ userId: string; rank: number; points: number }[]>`
      select user_id as "userId", rank::int, total_points::float8 as points
      from public.leaderboard limit 100`;
    const shown = [...told.values()].map(({ userId, rank, points }) => ({ userId, rank, points }));
    const byPlace = (a: Entry | (typeof shown)[0], b: Entry | (typeof shown)[0]) =>
      a.rank - b.rank || (a.userId < b.userId ? 1 : -1);
    expect(shown.sort(byPlace)).toEqual([...plain]);
  }, 240_000);

  it('are equal for equal scores, and leave out the places that these take', async () => {
    await using db = await testDatabase();
    const students = await Promise.all([1, 2, 3, 4].map(() => db.a.student()));
    for (const [at, tenths] of [300, 200, 200, 100].entries()) {
      await award(db, students[at]?.id ?? '', tenths);
    }
    const ranks = await Promise.all(students.map(async (one) => (await standingOf(db, one)).rank));
    expect(ranks).toEqual([1, 2, 2, 4]);
  });

  it('are of the course and of the week too', async () => {
    await using db = await testDatabase();
    const course = await db.a.course();
    const ann = await db.a.student().enrolledIn(course);
    const bob = await db.a.student().enrolledIn(course);
    await award(db, ann.id, 500);
    await award(db, ann.id, 10, course.id);
    await award(db, bob.id, 20, course.id);
    expect(await standingOf(db, bob, course.id)).toMatchObject({ rank: 1, points: 2 });
    expect(await standingOf(db, bob, 'global')).toMatchObject({ rank: 2 });
    expect(await standingOf(db, ann, 'week')).toMatchObject({ rank: 1, points: 51 });
    await expect(standingOf(db, await db.a.student(), course.id)).rejects.toThrow(
      'TOPIC_FORBIDDEN',
    );
  });

  it('come with the five before and the five after', async () => {
    await using db = await testDatabase();
    const students = await makeStudents(db, 20);
    for (const [at, id] of students.entries()) await award(db, id, 1000 - at * 10);
    const { neighbours } = await standingOf(db, { id: students[9] ?? '' });
    expect(neighbours.map(({ rank }) => rank)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect((await standingOf(db, { id: students[0] ?? '' })).neighbours).toHaveLength(6);
  });

  it('know how far somebody has climbed since the week began', async () => {
    await using db = await testDatabase();
    const [ann, bob, new_] = await Promise.all([1, 2, 3].map(() => db.a.student()));
    await award(db, ann?.id ?? '', 200);
    await award(db, bob?.id ?? '', 100);
    // That was last week.
    await tell(db);
    await db.sql`update private.leaderboard_scores set week = week - 7 where board = 'global'`;
    await db.sql`update private.leaderboard_told set board = 'week-2000-01-03' where scope = 'week'`;
    await tell(db);

    await award(db, bob?.id ?? '', 500);
    await award(db, new_?.id ?? '', 10);
    await tell(db);
    const [latest] = (await toldOn(db, 'leaderboard:global')).slice(-1);
    const movements = new Map(latest?.entries.map((entry) => [entry.userId, entry.movement]));
    expect(movements.get(bob?.id ?? '')).toBe(1);
    expect(movements.get(ann?.id ?? '')).toBe(-1);
    expect(movements.get(new_?.id ?? '')).toBeNull();
  });
});

describe('hidden students', () => {
  it('are on no board and in nobody’s rank, and see their own', async () => {
    await using db = await testDatabase();
    const [ann, bob] = [await db.a.student(), await db.a.student()];
    await award(db, ann.id, 200);
    await award(db, bob.id, 100);
    await tell(db);
    const hide = (user: BuiltUser, isHidden: boolean) =>
      db.as(user, (tx) => tx`select public.set_leaderboard_hidden(${isHidden})`);
    await hide(ann, true);
    await tell(db);
    expect(await standingOf(db, bob)).toMatchObject({ rank: 1, students: 1 });
    expect(await standingOf(db, ann)).toMatchObject({ rank: 1, points: 20, isHidden: true });
    const names = await db.as(bob, (tx) => tx`select user_id from public.leaderboard`);
    expect([...names]).toEqual([{ user_id: bob.id }]);
    expect((await toldOn(db, 'leaderboard:global')).at(-1)).toMatchObject({ removed: [ann.id] });
    await award(db, ann.id, 50);
    await hide(ann, false);
    expect(await standingOf(db, bob)).toMatchObject({ rank: 2, students: 2 });
  });

  it('stay out of it when they are no students, or erased', async () => {
    await using db = await testDatabase();
    const [ann, bob] = [await db.a.student(), await db.a.student()];
    const teacher = await db.a.instructor();
    for (const { id } of [ann, bob, teacher]) await award(db, id, 100);
    await award(db, bob.id, 100);
    await tell(db);
    expect(await standingOf(db, ann)).toMatchObject({ rank: 2, students: 2 });
    await db.sql`delete from auth.users where id = ${bob.id}`;
    await tell(db);
    expect(await standingOf(db, ann)).toMatchObject({ rank: 1, students: 1 });
    await db.sql`update users set role = 'instructor' where id = ${ann.id}`;
    await tell(db);
    expect((await toldOn(db, 'leaderboard:global')).at(-1)).toMatchObject({ students: 0 });
  });
});

describe('what is told', () => {
  it('is one event for a thousand changes, and none for none', async () => {
    await using db = await testDatabase();
    const students = await makeStudents(db, 20);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(students.map((id, at) => award(db, id, at)));
    }
    await tell(db);
    await tell(db);
    expect(await toldOn(db, 'leaderboard:global')).toHaveLength(1);
    await award(db, students[0] ?? '', 1);
    await tell(db);
    expect((await toldOn(db, 'leaderboard:global')).at(-1)).toMatchObject({
      entries: [{ userId: students[0] }],
      removed: [],
      isWhole: false,
    });
  });

  it('is their own rank to those who follow it, when it changes', async () => {
    await using db = await testDatabase();
    const [ann, bob] = [await db.a.student(), await db.a.student()];
    await award(db, ann.id, 100);
    await tell(db);
    const [row] = await db.as(
      ann,
      (tx) => tx<{ snapshot: { data: Standing; seq: number } }[]>`
        select public.follow_leaderboard('global') as snapshot`,
    );
    expect(row?.snapshot.data).toMatchObject({ rank: 1 });
    const ranks = async () =>
      (
        await db.sql<{ rank: number }[]>`
          select (payload #>> '{standing,rank}')::int as rank from private.live_events
          where topic = ${`user:${ann.id}`} and event = 'leaderboard.rank' order by seq`
      ).map(({ rank }) => rank);

    await award(db, bob.id, 50);
    await tell(db);
    await award(db, bob.id, 100);
    await tell(db);
    await tell(db);
    expect(await ranks()).toEqual([1, 2]);
    await db.sql`update private.leaderboard_followers set until = now() - interval '1 minute'`;
    await award(db, ann.id, 100);
    await tell(db);
    expect(await ranks()).toEqual([1, 2]);
  });

  it('is a new name too', async () => {
    await using db = await testDatabase();
    const ann = await db.a.student();
    await award(db, ann.id, 100);
    await tell(db);
    await db.sql`update users set first_name = 'Anna' where id = ${ann.id}`;
    await tell(db);
    expect((await toldOn(db, 'leaderboard:global')).at(-1)).toMatchObject({
      entries: [{ userId: ann.id, name: `Anna ${ann.lastName}` }],
    });
  });
});

describe('the guide’s view', () => {
  it('multiplies nothing: 3 courses with 2 certificates and 100 minutes are 410 points', async () => {
    await using db = await testDatabase();
    const ann = await db.a.student();
    await db.sql`
      insert into learning_stats (user_id, courses_completed, certificates_earned, total_time_spent)
      values (${ann.id}, 3, 2, 100)`;
    await award(db, ann.id, 3 * 1000 + 2 * 500 + 100);
    const rows = await db.as(await db.a.student(), (tx) => tx`select * from public.leaderboard`);
    expect(rows).toMatchObject([
      { user_id: ann.id, courses_completed: 3, certificates_earned: 2, total_time_spent: 100 },
    ]);
    expect(Number(rows[0]?.['total_points'])).toBe(410);
  });

  it('shows nothing to nobody, and no table behind it to anybody', async () => {
    await using db = await testDatabase();
    const ann = await db.a.student();
    const nobody = db.as(null, (tx) => tx`select * from public.leaderboard`);
    await expect(nobody).rejects.toThrow('permission denied');
    for (const table of ['scores', 'counts', 'told', 'followers']) {
      const reading = db.as(ann, (tx) => tx.unsafe(`select * from private.leaderboard_${table}`));
      await expect(reading).rejects.toThrow('permission denied');
    }
    const cheating = db.as(
      ann,
      (tx) => tx`
        insert into public.point_entries (user_id, reason, subject, tenths)
        values (${ann.id}, 'quiz', 'x', 100000)`,
    );
    await expect(cheating).rejects.toThrow('permission denied');
  });
});
