import type { SeededCourse } from './catalog.ts';
import type { Journey } from './journeys.ts';
import { accounts } from './people.ts';
import { idOf, randomOf } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, HOUR_MS, iso, MINUTE_MS } from './time.ts';

/** A workshop; days from now, negative ones are over. */
type WorkshopPlan = {
  slug: string;
  title: string;
  description: string;
  inDays: number;
  hour: number;
  minutes: number;
  capacity: number | null;
  room?: string;
};

const PLANS: WorkshopPlan[] = [
  {
    slug: 'practical-sql',
    title: 'Bring your messy data',
    description: 'Two participants show a table that troubles them; we clean it together, live.',
    inDays: -20,
    hour: 17,
    minutes: 90,
    capacity: 20,
  },
  {
    slug: 'practical-sql',
    title: 'Reading query plans together',
    description: 'Send a slow query beforehand. We read its plan from the inside out.',
    inDays: 3,
    hour: 17,
    minutes: 75,
    capacity: 8,
  },
  {
    slug: 'probability-without-tears',
    title: 'An evening of dice',
    description: 'Six games, some of them unfair. Find out which, and by how much.',
    inDays: -6,
    hour: 18,
    minutes: 90,
    capacity: 24,
  },
  {
    slug: 'probability-without-tears',
    title: 'Calibration game night',
    description: 'How sure are you, and are you right to be? Bring a friend who is always sure.',
    inDays: 9,
    hour: 18,
    minutes: 60,
    capacity: null,
  },
  {
    slug: 'writing-clearly',
    title: 'Editing clinic',
    description: 'One page each. We cut, you decide.',
    inDays: 5,
    hour: 12,
    minutes: 60,
    capacity: 12,
  },
  {
    slug: 'drawing-what-you-see',
    title: 'Drawing in the botanical garden',
    description: 'Outside if it is dry, in the palm house if it isn’t. Bring a board.',
    inDays: -13,
    hour: 10,
    minutes: 150,
    capacity: 15,
    room: 'Botanical garden, south gate',
  },
  {
    slug: 'bread-a-small-science',
    title: 'Shaping, at the same table',
    description: 'Bring 500 g of dough at any stage of despair.',
    inDays: 1,
    hour: 16,
    minutes: 120,
    capacity: 10,
    room: 'Community kitchen, 2nd floor',
  },
];

/** Writes workshops with who came to the past ones, and who wants to come to the next. */
export function addWorkshops(
  rows: Rows,
  catalog: SeededCourse[],
  journeys: Journey[],
  now: number,
) {
  for (const plan of PLANS) {
    const course = catalog.find(({ slug }) => slug === plan.slug);
    if (!course) continue;
    const startsAt = Math.floor(now / DAY_MS + plan.inDays) * DAY_MS + plan.hour * HOUR_MS;
    const workshop = { id: idOf('workshop', plan.title), startsAt, plan };
    const createdAt = iso(startsAt - 30 * DAY_MS);
    rows.workshops.push({
      id: workshop.id,
      courseId: course.id,
      title: plan.title,
      description: plan.description,
      location: plan.room ?? null,
      meetingUrl: plan.room ? null : `https://meet.homeroom.test/${workshop.id.slice(0, 8)}`,
      startsAt: iso(startsAt),
      endsAt: iso(startsAt + plan.minutes * MINUTE_MS),
      timeZone: course.teacherId === accounts.tomas.id ? 'Europe/Lisbon' : 'Europe/Stockholm',
      capacity: plan.capacity,
      status: plan.inDays < 0 ? 'ended' : 'scheduled',
      createdBy: course.teacherId,
      createdAt,
      updatedAt: createdAt,
    });
    addRegistrations(
      rows,
      workshop,
      journeys.filter((way) => way.course === course),
      now,
    );
  }
}

/** First come, first served; beyond the capacity is the waiting list. */
function addRegistrations(
  rows: Rows,
  { id, startsAt, plan }: { id: string; startsAt: number; plan: WorkshopPlan },
  members: Journey[],
  now: number,
) {
  const random = randomOf(plan.title);
  const deadline = Math.min(startsAt, now) - 30 * MINUTE_MS;
  const registered = members
    .filter((way) => way.enrolledAt < deadline && random.chance(0.6))
    .map(({ student, enrolledAt }) => {
      const opened = Math.max(enrolledAt, startsAt - 28 * DAY_MS);
      return { student, at: opened + random.next() * Math.max(0, deadline - opened) };
    })
    .filter(({ at }) => at < now)
    .sort((a, b) => a.at - b.at);
  registered.forEach(({ student, at }, place) => {
    const hasPlace = plan.capacity === null || place < plan.capacity;
    const came = plan.inDays < 0 && hasPlace && random.chance(0.8);
    const checkedInAt = came ? iso(startsAt + random.between(-9, 12) * MINUTE_MS) : null;
    rows.workshopRegistrations.push({
      id: idOf('registration', id, student.id),
      workshopId: id,
      userId: student.id,
      status: came ? 'checked_in' : hasPlace ? 'registered' : 'waitlisted',
      registeredAt: iso(at),
      checkedInAt,
      updatedAt: checkedInAt ?? iso(at),
    });
  });
}
