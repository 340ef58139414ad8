import type { SeededCourse } from './catalog.ts';
import { accounts, type Person } from './people.ts';
import { idOf, randomOf, type Random } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, HOUR_MS, iso, MINUTE_MS } from './time.ts';

/** What a student did in a course, in order. */
export type Journey = {
  student: Person;
  course: SeededCourse;
  enrollmentId: string;
  enrolledAt: number;
  lessons: { lessonId: string; at: number; seconds: number }[];
  modules: { moduleId: string; title: string; at: number }[];
  completedAt: number | null;
  /** How much of what is required is done: 0–100, and 100 only for all of it. */
  progress: number;
  /** How many lessons count. */
  requiredCount: number;
};

/** How far somebody goes: the share of lessons, and the hours between two of them. */
type Plan = { slug: string; enrolledDaysAgo: number; share: number; hoursBetween: number };

/** The demo accounts' courses are set by hand, so that each screen has something to show. */
const PLANS = new Map<string, Plan[]>([
  [
    accounts.student.id,
    [
      { slug: 'writing-clearly', enrolledDaysAgo: 47, share: 1, hoursBetween: 62 },
      { slug: 'practical-sql', enrolledDaysAgo: 24, share: 0.65, hoursBetween: 55 },
    ],
  ],
  [
    accounts.student2.id,
    [
      { slug: 'bread-a-small-science', enrolledDaysAgo: 26, share: 0.7, hoursBetween: 60 },
      { slug: 'drawing-what-you-see', enrolledDaysAgo: 9, share: 0.35, hoursBetween: 45 },
    ],
  ],
]);

/** Everybody's way through their courses. */
export function journeysOf(students: Person[], catalog: SeededCourse[], now: number): Journey[] {
  const published = catalog.filter((course) => course.isPublished);
  return students.flatMap((student) => {
    const random = randomOf(`journey of ${student.email}`);
    const plans = PLANS.get(student.id) ?? plansOf(student, published, random);
    return plans.flatMap((plan) => {
      const course = published.find(({ slug }) => slug === plan.slug);
      return course ? [journey(student, course, plan, random, now)] : [];
    });
  });
}

function plansOf(student: Person, courses: SeededCourse[], random: Random): Plan[] {
  const wanted = 1 + Number(random.chance(0.65)) + Number(random.chance(0.35));
  const left = [...courses];
  return Array.from({ length: wanted }, () => {
    const [course] = left.splice(random.between(0, left.length - 1), 1);
    return {
      slug: course?.slug ?? '',
      enrolledDaysAgo: student.joinedDaysAgo * (0.1 + random.next() * 0.88),
      share: random.chance(student.diligence * 0.75) ? 1 : random.next(),
      hoursBetween: 18 + (1 - student.diligence) * 60,
    };
  });
}

function journey(
  student: Person,
  course: SeededCourse,
  plan: Plan,
  random: Random,
  now: number,
): Journey {
  const enrolledAt = now - plan.enrolledDaysAgo * DAY_MS - random.between(0, 300) * MINUTE_MS;
  const path = course.modules.flatMap(({ lessons }) => lessons.filter((one) => one.isPublished));
  const until = Math.ceil(path.length * plan.share);
  const done: Journey['lessons'] = [];
  let at = enrolledAt + random.between(4, 55) * MINUTE_MS;
  for (const lesson of path.slice(0, until)) {
    if (at > now - 20 * MINUTE_MS) break;
    if (lesson.isRequired || random.chance(0.5)) {
      const seconds = Math.round(lesson.minutes * 60 * (0.6 + random.next() * 1.1));
      done.push({ lessonId: lesson.id, at, seconds });
    }
    // Sometimes two lessons in one sitting.
    at += random.chance(0.35)
      ? lesson.minutes * MINUTE_MS * (1 + random.next())
      : plan.hoursBetween * HOUR_MS * (0.3 + random.next() * 1.2);
  }
  return {
    ...outcome(course, done),
    student,
    course,
    enrolledAt,
    lessons: done,
    enrollmentId: idOf('enrollment', student.id, course.id),
  };
}

/** What follows from the lessons done: modules, progress, and whether the course is finished. */
function outcome(course: SeededCourse, done: Journey['lessons']) {
  const doneAt = new Map(done.map(({ lessonId, at }) => [lessonId, at]));
  const required = course.modules.map((module) => ({
    ...module,
    lessons: module.lessons.filter((lesson) => lesson.isPublished && lesson.isRequired),
  }));
  const modules = required.flatMap(({ id, title, lessons }) => {
    const times = lessons.flatMap((lesson) => doneAt.get(lesson.id) ?? []);
    if (lessons.length === 0 || times.length < lessons.length) return [];
    return [{ moduleId: id, title, at: Math.max(...times) }];
  });
  const wanted = required.flatMap(({ lessons }) => lessons);
  const had = wanted.filter(({ id }) => doneAt.has(id)).length;
  const completedAt =
    had === wanted.length ? Math.max(...modules.map((module) => module.at)) : null;
  const progress = Math.floor((100 * had) / wanted.length);
  return { modules, completedAt, progress, requiredCount: wanted.length };
}

/** Writes enrollments, completions, certificates and what was paid for. */
export function addJourneys(rows: Rows, journeys: Journey[]) {
  for (const { student, course, enrollmentId, enrolledAt, ...way } of journeys) {
    const userId = student.id;
    rows.enrollments.push({
      id: enrollmentId,
      userId,
      courseId: course.id,
      status: way.completedAt === null ? 'active' : 'completed',
      progress: way.progress,
      enrolledAt: iso(enrolledAt),
      completedAt: way.completedAt === null ? null : iso(way.completedAt),
      courseVersion: way.completedAt === null ? null : 1,
      requiredCount: way.completedAt === null ? null : way.requiredCount,
      updatedAt: iso(way.lessons.at(-1)?.at ?? enrolledAt),
    });
    for (const { lessonId, at, seconds } of way.lessons) {
      rows.lessonCompletions.push({
        userId,
        lessonId,
        timeSpentSeconds: seconds,
        completedAt: iso(at),
      });
    }
    for (const { moduleId, at } of way.modules) {
      rows.moduleCompletions.push({ userId, moduleId, completedAt: iso(at) });
    }
    if (way.completedAt !== null) {
      const serial = idOf('certificate', userId, course.id).replaceAll('-', '').toUpperCase();
      rows.certificates.push({
        id: idOf('certificate', userId, course.id),
        userId,
        courseId: course.id,
        serialNumber: `HR-${serial}`,
        issuedAt: iso(way.completedAt),
      });
    }
    if (course.priceCents > 0) {
      const paidAt = iso(enrolledAt - 40_000);
      rows.payments.push({
        id: idOf('payment', userId, course.id),
        userId,
        courseId: course.id,
        amountCents: course.priceCents,
        status: 'succeeded',
        provider: 'stripe',
        providerReference: `pi_demo_${idOf('payment', userId, course.id).slice(0, 18).replaceAll('-', '')}`,
        paidAt,
        createdAt: paidAt,
        updatedAt: paidAt,
      });
    }
  }
}
