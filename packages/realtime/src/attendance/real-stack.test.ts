import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { school, type School } from '../testing/school.ts';
import { until, watch } from '../testing/stage.ts';
import { workshopAttendance, type WorkshopAttendanceState } from './attendance-store.ts';
import { workshop } from './workshop-store.ts';

const isLive = ({ status }: { status: string }) => status === 'live';
const counts = (checkedIn: number, registered: number) => (state: WorkshopAttendanceState) =>
  state.attendance?.checkedInCount === checkedIn && state.attendance.totalRegistered === registered;

/** A workshop from registering over the waiting list to the live panel, on the real stack. */
describe('a workshop on the real stack', () => {
  let here: School;
  let people: Awaited<ReturnType<typeof evening>>;
  beforeEach(async () => {
    here = await school();
    people = await evening(here);
  });
  afterEach(() => here[Symbol.asyncDispose]());

  async function evening({ db }: School) {
    const iris = await db.a.instructor();
    const course = await db.a.course().taughtBy(iris);
    const ann = await db.a.student().enrolledIn(course);
    const bob = await db.a.student().enrolledIn(course);
    const [row] = await db.sql<{ id: string }[]>`
      insert into workshops (course_id, title, capacity, starts_at, ends_at)
      values (${course.id}, 'Dice', 1, now() - interval '1 minute', now() + interval '1 hour')
      returning id`;
    return { iris, ann, bob, id: row!.id };
  }

  /** The code that is shown now. */
  async function code(): Promise<string> {
    const [row] = await here.db.sql<{ code: string }[]>`
      select private.workshop_code(${people.id}, private.code_step(now())) as code`;
    return row!.code;
  }

  it('moves places and numbers on every screen, and gives a free place to who waits', async () => {
    const panel = workshopAttendance(here.tab(people.iris), people.id);
    const ann = workshop(here.tab(people.ann), people.id);
    const bob = workshop(here.tab(people.bob), people.id);
    for (const store of [panel, ann, bob]) watch<unknown>(store);
    await until(panel, isLive);
    expect(await ann.register()).toBeUndefined();
    await until(ann, ({ workshop }) => workshop?.mine?.status === 'registered');
    expect(await bob.register()).toBeUndefined();
    await until(bob, ({ workshop }) => workshop?.mine?.status === 'waitlisted');
    await until(panel, ({ attendance }) => attendance?.waitlistedCount === 1);
    expect(await ann.unregister()).toBeUndefined();
    await until(bob, ({ workshop }) => workshop?.mine?.status === 'registered');
    const { attendance } = await until(panel, counts(0, 1));
    expect(attendance).toMatchObject({ waitlistedCount: 0, missingCount: 1, onlineCount: 0 });

    expect(await panel.checkIn(people.bob.id)).toBe(true);
    await until(bob, ({ workshop }) => workshop?.mine?.status === 'checked_in');
    await until(panel, counts(1, 1));
    expect(await panel.undoCheckIn(people.bob.id, 'Mistaken')).toBe(true);
    await until(panel, counts(0, 1));
    expect(await panel.checkIn(people.ann.id)).toBe(true); // walked in
    const walked = await until(panel, counts(1, 2));
    expect(walked.attendance?.participants.map(({ method }) => method)).toContain('walk_in');
  });

  it('takes a check-in by code, says why one is refused, and shows it on the panel', async () => {
    const panel = workshopAttendance(here.tab(people.iris), people.id);
    const ann = workshop(here.tab(people.ann), people.id);
    watch(panel);
    watch(ann);
    await ann.register();
    await until(ann, isLive);
    const right = await code();
    ann.checkInByCode(right === '123456' ? '654321' : '123456');
    const refused = await until(ann, ({ checkIn }) => checkIn?.state === 'refused');
    expect(refused.checkIn?.error?.code).toBe('CODE_WRONG');
    ann.checkInByCode(right);
    await until(ann, (state) => state.workshop?.mine?.status === 'checked_in' && !state.checkIn);
    await until(panel, counts(1, 1));
  });
});
