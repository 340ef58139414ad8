import { describe, expect, it } from 'vitest';
import { parseCourse } from './course-file.ts';
import type { Rows } from './rows.ts';
import { schoolAt } from './school.ts';
import { currentStreak } from './totals.ts';

const now = new Date('2026-03-14T09:26:53.589Z');
const { people, rows } = schoolAt(now);

const idsOf = (list: { id?: string | undefined }[]) => list.map(({ id }) => id);

/** What must be done for a course. */
function requiredLessons(courseId: string) {
  const modules = rows.modules.filter((module) => module.courseId === courseId);
  return rows.lessons.filter(
    (lesson) =>
      lesson.isPublished && lesson.isRequired && modules.some(({ id }) => id === lesson.moduleId),
  );
}

describe('the demo school', () => {
  it('is the same for the same moment', () => {
    expect(schoolAt(now)).toEqual({ people, rows });
  });

  it('has people, courses and a history to look at', () => {
    expect(people.filter(({ role }) => role === 'student').length).toBeGreaterThanOrEqual(45);
    expect(people.filter(({ role }) => role === 'instructor')).toHaveLength(2);
    expect(people.filter(({ role }) => role === 'admin')).toHaveLength(1);
    expect(rows.courses.filter(({ status }) => status === 'published')).toHaveLength(5);
    expect(rows.lessons.every(({ content = '' }) => content.length > 50)).toBe(true);
    const starts = rows.workshops.map(({ startsAt }) => Date.parse(startsAt));
    expect(starts.some((at) => at < now.getTime())).toBe(true);
    expect(starts.some((at) => at > now.getTime())).toBe(true);
    const ratings = new Set(rows.courseReviews.map(({ rating }) => rating));
    expect(ratings.size).toBeGreaterThanOrEqual(4);
  });

  it('gives every row a name of its own', () => {
    for (const list of Object.values(rows) as { id?: string }[][]) {
      const ids = idsOf(list).filter((id) => id !== undefined);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(new Set(people.map(({ email }) => email)).size).toBe(people.length);
  });

  it('has nothing happen after now, save workshops', () => {
    const { workshops: _, ...past } = rows;
    for (const list of Object.values(past) as Record<string, unknown>[][]) {
      for (const row of list) {
        for (const [name, value] of Object.entries(row)) {
          if (!/At$/.test(name) || typeof value !== 'string') continue;
          expect(Date.parse(value), `${name} of ${JSON.stringify(row)}`).toBeLessThanOrEqual(
            now.getTime(),
          );
        }
      }
    }
  });

  it('counts progress as the lessons done, and calls a course finished only when all are', () => {
    for (const enrollment of rows.enrollments) {
      const required = requiredLessons(enrollment.courseId);
      const done = required.filter((lesson) => isDone(enrollment.userId, lesson.id));
      expect(enrollment.progress).toBe(Math.floor((100 * done.length) / required.length));
      expect(enrollment.status).toBe(done.length === required.length ? 'completed' : 'active');
      expect(enrollment.completedAt !== null).toBe(enrollment.status === 'completed');
    }
  });

  it('has lessons done only by those enrolled, after they enrolled', () => {
    for (const { userId, lessonId, completedAt } of rows.lessonCompletions) {
      const lesson = rows.lessons.find(({ id }) => id === lessonId);
      const module = rows.modules.find(({ id }) => id === lesson?.moduleId);
      const enrollment = enrollmentOf(userId, module?.courseId);
      expect(lesson?.isPublished).toBe(true);
      expect(enrollment).toBeDefined();
      expect(String(enrollment?.enrolledAt) < String(completedAt)).toBe(true);
    }
  });

  it('has modules done exactly where all their required lessons are', () => {
    for (const enrollment of rows.enrollments) {
      for (const module of rows.modules.filter((one) => one.courseId === enrollment.courseId)) {
        const required = requiredLessons(module.courseId).filter(
          ({ moduleId }) => moduleId === module.id,
        );
        const isFinished =
          required.length > 0 && required.every(({ id }) => isDone(enrollment.userId, id));
        const row = rows.moduleCompletions.some(
          (one) => one.userId === enrollment.userId && one.moduleId === module.id,
        );
        expect(row).toBe(isFinished);
      }
    }
  });

  it('gives one certificate for each finished course, and none else', () => {
    const finished = rows.enrollments.filter(({ status }) => status === 'completed');
    const pairs = (list: { userId: string; courseId: string }[]) =>
      list.map(({ userId, courseId }) => `${userId} ${courseId}`).sort();
    expect(pairs(rows.certificates)).toEqual(pairs(finished));
  });

  it('keeps totals that equal a new count', () => {
    for (const stats of rows.learningStats) {
      const lessons = rows.lessonCompletions.filter(({ userId }) => userId === stats.userId);
      const seconds = lessons.reduce((sum, one) => sum + (one.timeSpentSeconds ?? 0), 0);
      const certificates = rows.certificates.filter(({ userId }) => userId === stats.userId);
      expect(stats.totalTimeSpent).toBe(Math.floor(seconds / 60));
      expect(stats.certificatesEarned).toBe(certificates.length);
      expect(stats.coursesCompleted).toBe(certificates.length);
    }
  });

  it('has every quiz on the way passed, and points that equal what was done', () => {
    for (const lesson of rows.lessons.filter(({ kind }) => kind === 'quiz')) {
      for (const { userId } of rows.lessonCompletions.filter((l) => l.lessonId === lesson.id)) {
        const attempts = rows.quizAttempts.filter(
          (one) => one.userId === userId && one.lessonId === lesson.id,
        );
        expect(attempts.some(({ isPassed }) => isPassed)).toBe(true);
        expect(attempts.length).toBeLessThanOrEqual(lesson.quiz?.attemptsMax ?? Infinity);
      }
    }
    for (const stats of rows.learningStats) {
      const entries = rows.pointEntries.filter(({ userId }) => userId === stats.userId);
      const sum = (...reasons: string[]) =>
        entries.reduce(
          (all, { reason, tenths }) => all + (reasons.includes(reason) ? tenths : 0),
          0,
        );
      expect(sum('course', 'certificate')).toBe((stats.coursesCompleted ?? 0) * 1500);
      expect(sum('time')).toBe(stats.totalTimeSpent);
    }
  });

  it('never overbooks a workshop', () => {
    for (const workshop of rows.workshops) {
      const places = rows.workshopRegistrations.filter(
        ({ workshopId, status }) =>
          workshopId === workshop.id && (status === 'registered' || status === 'checked_in'),
      );
      expect(places.length).toBeLessThanOrEqual(workshop.capacity ?? Infinity);
    }
  });

  it('leaves the demo accounts a free course to enroll in, and something unread', () => {
    for (const email of ['student@homeroom.test', 'student2@homeroom.test']) {
      const { id } = people.find((one) => one.email === email) ?? {};
      const open = rows.courses.filter(
        (course) =>
          course.status === 'published' && course.priceCents === 0 && !enrollmentOf(id, course.id),
      );
      expect(open.length).toBeGreaterThanOrEqual(2);
      expect(unread(id)).toBeGreaterThan(0);
    }
    const { id } = people.find(({ email }) => email === 'instructor@homeroom.test') ?? {};
    expect(unread(id)).toBeGreaterThan(2);
    expect(unread(id)).toBeLessThan(40);
  });
});

it('counts a streak up to today or yesterday', () => {
  expect(currentStreak([7, 8, 9], 9)).toBe(3);
  expect(currentStreak([7, 8, 9], 10)).toBe(3);
  expect(currentStreak([7, 8, 9], 11)).toBe(0);
  expect(currentStreak([5, 7, 8], 8)).toBe(2);
});

it('says which lesson of a course file doesn’t say how long it takes', () => {
  const head =
    '---\ntitle: A\nsummary: B\nlevel: beginner\nprice: 0\ncategory: c\nteacher: d\n---\n';
  const text = `${head}\nText\n\n# Module: One\n\nSum\n\n## Lesson: Two\n\nno time`;
  expect(() => parseCourse('a', text)).toThrow("doesn't say how long it takes: Two");
});

function isDone(userId: string, lessonId: string | undefined): boolean {
  return rows.lessonCompletions.some((one) => one.userId === userId && one.lessonId === lessonId);
}

function enrollmentOf(
  userId: string | undefined,
  courseId: string | undefined,
): Rows['enrollments'][number] | undefined {
  return rows.enrollments.find((one) => one.userId === userId && one.courseId === courseId);
}

function unread(userId: string | undefined): number {
  return rows.notifications.filter((one) => one.userId === userId && !one.readAt).length;
}
