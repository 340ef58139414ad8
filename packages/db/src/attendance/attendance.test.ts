import { describe, expect, it } from 'vitest';
import { testDatabase, type Actor, type TestDatabase } from '../testing/index.ts';
import { readExport, verifyChain } from './chain.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);

/** A workshop that has just begun, its instructor, and students of its course. */
async function evening({ capacity = null as number | null, students = 3 } = {}) {
  const db = await testDatabase();
  const iris = await db.a.instructor();
  const course = await db.a.course().taughtBy(iris);
  const [ann, bob, cat, ...others] = await Promise.all(
    upTo(students).map(() => db.a.student().enrolledIn(course)),
  );
  const people: [Actor, Actor, Actor, ...Actor[]] = [ann!, bob!, cat!, ...others];
  const [workshop] = await db.sql<{ id: string }[]>`
    insert into workshops (course_id, title, capacity, starts_at, ends_at)
    values (
      ${course.id}, 'Dice', ${capacity}, now() - interval '5 minutes', now() + interval '1 hour'
    )
    returning id`;
  const id = workshop!.id;
  const call = <Result>(who: Actor, statement: string, ...rest: (string | null)[]) =>
    db.as(who, async (tx) => {
      const [row] = await tx.unsafe<{ result: Result }[]>(`select private.${statement} as result`, [
        id,
        ...rest,
      ]);
      return row!.result;
    });
  return {
    db,
    iris,
    course,
    people,
    id,
    register: (who: Actor) => call<Registration>(who, 'register_for_workshop($1)'),
    cancel: (who: Actor) => call<Registration>(who, 'cancel_registration($1)'),
    byHand: (who: Actor, person: Actor) =>
      call<Registration>(who, 'check_in_by_hand($1, $2)', person.id),
    undo: (who: Actor, person: Actor, reason: string) =>
      call<Registration>(who, 'undo_check_in($1, $2, $3)', person.id, reason),
    byCode: (who: Actor, code: string, seenAt = new Date()) =>
      call<ByCode>(who, 'check_in_by_code($1, $2, $3::timestamptz)', code, seenAt.toISOString()),
    code: async (secondsAgo = 0) => {
      const [row] = await db.sql<{ code: string }[]>`
        select private.workshop_code(
          ${id}, private.code_step(now() - ${secondsAgo} * interval '1 second')
        ) as code`;
      return row!.code;
    },
    counts: async () => {
      const [row] = await db.sql<{ counts: object }[]>`
        select private.workshop_counts(${id}) as counts`;
      return row!.counts;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

type Registration = { status: string; isLate: boolean; method: string | null };
type ByCode = { registration?: Registration; refusal?: string; retryAfterSeconds?: number };

async function eventsOn({ sql }: TestDatabase, topic: string) {
  return sql<{ event: string; payload: Record<string, object> }[]>`
    select event, payload from private.live_events where topic = ${topic} order by seq`;
}

describe('places', () => {
  it('are never given twice: 200 register at once for 50', async () => {
    await using here = await evening({ capacity: 50, students: 200 });
    const answers = await Promise.all(here.people.map((who) => here.register(who)));
    expect(answers.filter(({ status }) => status === 'registered')).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 'waitlisted')).toHaveLength(150);
    expect(await here.counts()).toEqual({ registered: 50, checkedIn: 0, waitlisted: 150 });
    const told = await eventsOn(here.db, `workshop:${here.id}`);
    expect(told.at(-1)?.payload.counts).toEqual(await here.counts());
  }, 90_000);

  it('go to the first on the waiting list when one is cancelled, and they hear of it', async () => {
    await using here = await evening({ capacity: 1 });
    const [ann, bob, cat] = here.people;
    for (const who of [ann, bob, cat]) await here.register(who);
    await here.cancel(ann);
    const rows = await here.db.sql`
      select user_id, status from workshop_registrations order by registered_at`;
    expect(rows.map((row) => row.status as string)).toEqual([
      'cancelled',
      'registered',
      'waitlisted',
    ]);
    const told = await here.db.sql`
      select title from notifications where user_id = ${bob.id} and type = 'workshop'`;
    expect([...told]).toEqual([{ title: 'You have a place' }]);
    await here.db.sql`delete from workshop_registrations where user_id = ${bob.id}`;
    expect(await here.counts()).toEqual({ registered: 1, checkedIn: 0, waitlisted: 0 });
  });

  it('become more with the capacity, and never fewer for those who have one', async () => {
    await using here = await evening({ capacity: 1 });
    for (const who of here.people) await here.register(who);
    await here.db.as(
      here.iris,
      (tx) => tx`update workshops set capacity = 2 where id = ${here.id}`,
    );
    expect(await here.counts()).toEqual({ registered: 2, checkedIn: 0, waitlisted: 1 });
    await here.db.sql`update workshops set capacity = 1`;
    expect(await here.counts()).toEqual({ registered: 2, checkedIn: 0, waitlisted: 1 });
  });

  it('are kept when one registers again, and given in turn after a cancelling', async () => {
    await using here = await evening({ capacity: 1 });
    const [ann, bob] = here.people;
    await here.register(ann);
    expect((await here.register(ann)).status).toBe('registered');
    await here.register(bob);
    await here.cancel(ann);
    expect((await here.register(ann)).status).toBe('waitlisted');
  });

  it('are for members of the course, unless the workshop is open', async () => {
    await using here = await evening();
    const stranger = await here.db.a.student();
    await expect(here.register(stranger)).rejects.toThrow('WORKSHOP_NOT_FOUND');
    await here.db.sql`update workshops set is_open = true`;
    expect((await here.register(stranger)).status).toBe('registered');
    await here.db.sql`update workshops set status = 'ended'`;
    await expect(here.register(here.people[0])).rejects.toThrow('WORKSHOP_OVER');
  });
});

describe('checking in', () => {
  it('is done once, by hand, undone for a reason, and done again', async () => {
    await using here = await evening();
    const [ann, bob] = here.people;
    await here.register(ann);
    expect(await here.byHand(here.iris, ann)).toMatchObject({
      status: 'checked_in',
      method: 'hand',
    });
    await here.byHand(here.iris, ann);
    expect(await here.undo(here.iris, ann, 'Mistaken')).toMatchObject({ status: 'registered' });
    await here.byHand(here.iris, ann);
    expect((await here.byHand(here.iris, bob)).method).toBe('walk_in');
    await expect(here.byHand(ann, bob)).rejects.toThrow('WORKSHOP_NOT_FOUND');
    const log = await here.db
      .sql`select action, method, reason from attendance_log order by number`;
    expect([...log]).toEqual([
      { action: 'checked_in', method: 'hand', reason: '' },
      { action: 'undone', method: 'hand', reason: 'Mistaken' },
      { action: 'checked_in', method: 'hand', reason: '' },
      { action: 'checked_in', method: 'walk_in', reason: '' },
    ]);
  });

  it('takes the code of the moment, one step early or late, and says who is late', async () => {
    await using here = await evening();
    const [ann, bob] = here.people;
    for (const who of [ann, bob]) await here.register(who);
    const byAnn = await here.byCode(ann, await here.code());
    expect(byAnn.registration).toMatchObject({ status: 'checked_in', isLate: false });
    expect((await here.byCode(ann, 'again')).registration?.status).toBe('checked_in');
    const old = await here.byCode(bob, await here.code(90));
    expect(old.refusal).toBe('CODE_WRONG');
    await here.db.sql`update workshops set late_after_minutes = 2`;
    expect((await here.byCode(bob, await here.code())).registration?.isLate).toBe(true);
    expect((await here.byCode(here.iris, await here.code())).refusal).toBe(
      'REGISTRATION_NOT_FOUND',
    );
  });

  it('takes what was seen while the network was away, and nothing from before or after', async () => {
    await using here = await evening();
    const [ann, bob] = here.people;
    for (const who of [ann, bob]) await here.register(who);
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const late = await here.byCode(ann, await here.code(240), minutesAgo(4));
    expect(late.registration?.status).toBe('checked_in');
    const [entry] = await here.db.sql<{ delay: number }[]>`
      select extract(epoch from recorded_at - happened_at)::integer as delay from attendance_log`;
    expect(entry!.delay).toBeGreaterThan(200);
    for (const seenAt of [minutesAgo(60), minutesAgo(-10), minutesAgo(-120)]) {
      expect((await here.byCode(bob, await here.code(), seenAt)).refusal).toBe('CHECK_IN_CLOSED');
    }
  });

  it('holds up who guesses: five wrong codes, then not even the right one', async () => {
    await using here = await evening();
    const [ann] = here.people;
    await here.register(ann);
    const right = await here.code();
    const wrong = right === '000000' ? '000001' : '000000';
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await here.byCode(ann, wrong)).refusal).toBe('CODE_WRONG');
    }
    const held = await here.byCode(ann, right);
    expect(held).toMatchObject({ refusal: 'TOO_MANY_REQUESTS' });
    expect(held.retryAfterSeconds).toBeGreaterThan(500);
  });

  it('shows its code to the staff only, in the window only', async () => {
    await using here = await evening();
    const show = (who: Actor) =>
      here.db.as(who, (tx) => tx`select private.current_workshop_code(${here.id}) as shown`);
    const [{ shown } = { shown: null }] = await show(here.iris);
    expect(shown).toMatchObject({ code: expect.stringMatching(/^\d{6}$/) as string });
    await expect(show(here.people[0])).rejects.toThrow('WORKSHOP_NOT_FOUND');
    await here.db.sql`update workshops set starts_at = now() + interval '20 minutes'`;
    await expect(show(here.iris)).rejects.toThrow('CHECK_IN_CLOSED');
  });

  it('makes HMACs as RFC 4231 has them', async () => {
    await using db = await testDatabase();
    const [row] = await db.sql`
      select encode(private.hmac_sha256('Jefe', 'what do ya want for nothing?'), 'hex') as mac`;
    expect(row?.mac).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });
});

describe('the log', () => {
  it('can be added to only, by anybody, and every change of an export is found', async () => {
    await using here = await evening();
    for (const who of here.people) await here.byHand(here.iris, who);
    await here.undo(here.iris, here.people[0], '=A "quoted", | reason – with\nlines');
    for (const attempt of [
      `update attendance_log set user_id = '${here.people[1].id}' where number = 1`,
      'delete from attendance_log',
      'truncate attendance_log',
    ]) {
      await expect(here.db.sql.unsafe(attempt)).rejects.toThrow('never changed');
    }
    const [row] = await here.db.as(
      here.iris,
      (tx) => tx<{ csv: string }[]>`select private.attendance_export(${here.id}) as csv`,
    );
    const csv = row!.csv;
    expect(verifyChain(readExport(csv))).toEqual({ isWhole: true, entries: 4 });
    // A spreadsheet doesn't calculate with what somebody wrote.
    expect(csv).toContain(`,"'=A ""quoted""`);
    const forged = csv.replace(here.people[0].id, here.people[1].id);
    expect(verifyChain(readExport(forged))).toMatchObject({ isWhole: false, brokenAt: 1 });
    const lines = csv.trimEnd().split('\r\n');
    const shortened = lines.toSpliced(2, 1).join('\r\n');
    expect(verifyChain(readExport(shortened))).toMatchObject({ isWhole: false });
    await expect(
      here.db.as(here.people[0], (tx) => tx`select private.attendance_export(${here.id})`),
    ).rejects.toThrow('WORKSHOP_NOT_FOUND');
  });
});

describe('time present', () => {
  it('is the union of the intervals seen, across devices and reconnects', async () => {
    await using here = await evening();
    const [ann] = here.people;
    const [start] = await here.db.sql<{ at: string }[]>`
      select private.iso_time(starts_at) as at from workshops`;
    const beat = (seconds: number) => here.db.sql`
      select private.seen_in_workshop(
        ${here.id}, ${ann.id}, ${start!.at}::timestamptz + ${seconds} * interval '1 second'
      )`;
    // Two devices until 60, a pause that is too long, and one of them again; once out of order.
    for (const second of [0, 5, 30, 35, 60, 50, 600, 630, -7200, 8 * 3600]) await beat(second);
    const [row] = await here.db.sql`
      select private.seconds_present(${here.id}, ${ann.id}) as seconds`;
    expect(row?.seconds).toBe(90);
  });
});

describe('a change', () => {
  it('is told to those registered once, in the workshop’s own time, and reminds again', async () => {
    await using here = await evening();
    const [ann] = here.people;
    await here.register(ann);
    await here.db.sql`update workshop_registrations set reminders_sent = 2`;
    const change = (set: string) =>
      here.db.as(here.iris, (tx) => tx.unsafe(`update workshops set ${set}`));
    await change(`starts_at = '2031-03-30T16:00Z', ends_at = '2031-03-30T17:00Z',
      time_zone = 'Europe/Stockholm', location = 'Room 4'`);
    await change("location = 'Room 5'");
    await change("late_after_minutes = 5, title = 'Fair dice'");
    const [moved] = await here.db.sql`
      select status, sequence, reminders_sent
      from workshops cross join (select reminders_sent from workshop_registrations) as mine`;
    expect(moved).toEqual({ status: 'scheduled', sequence: 3, reminders_sent: 0 });
    await change("status = 'cancelled'");
    const told = await here.db.sql`
      select message from notifications
      where user_id = ${ann.id} and type = 'workshop' order by created_at, id`;
    expect(told.map(({ message }) => message as string)).toEqual([
      '"Dice" is now on Sunday 30 March, 18:00 (Europe/Stockholm).',
      '"Dice" has a new place.',
      '"Fair dice" will not take place.',
    ]);
  });
});

describe('the job', () => {
  it('reminds those who have a place a day and an hour before, once each, and begins and ends', async () => {
    await using here = await evening();
    const [ann, bob] = here.people;
    await here.register(ann);
    await here.register(bob);
    await here.db.sql`
      insert into notification_preferences (user_id, type, enabled)
      values (${bob.id}, 'workshop', false)`;
    // As time goes by, not as somebody moves it: quietly, since of a new time people hear at once.
    const at = (start: string) =>
      here.db.sql.begin((tx) =>
        tx.unsafe(`
          set local homeroom.quiet = 'on';
          update workshops set status = 'scheduled', starts_at = now() + interval '${start}',
            ends_at = now() + interval '${start}' + interval '1 hour'`),
      );
    const tend = async () => {
      await here.db.sql`select private.tend_workshops()`;
      await here.db.sql`select private.tend_workshops()`;
      const [row] = await here.db.sql`select status from workshops`;
      return row?.status as string;
    };
    await here.db.sql`
      update workshop_registrations set registered_at = now() - interval '3 days'`;
    await at('23 hours');
    expect(await tend()).toBe('scheduled');
    await at('30 minutes');
    await tend();
    const told = await here.db.sql`
      select title from notifications
      where user_id = ${ann.id} and data ->> 'about' = 'reminder' order by created_at`;
    expect(told.map((row) => row.title as string)).toEqual([
      'Workshop tomorrow',
      'Workshop within the hour',
    ]);
    const [unwanted] = await here.db.sql`
      select count(*)::integer as count from notifications where user_id = ${bob.id}`;
    expect(unwanted?.count).toBe(0);
    await at('-5 minutes');
    expect(await tend()).toBe('live');
    await at('-90 minutes');
    await here.db.sql`update workshops set status = 'live'`;
    expect(await tend()).toBe('ended');
  });
});
