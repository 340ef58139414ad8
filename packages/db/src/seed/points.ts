import type { Rows } from './rows.ts';

/** Why a student has points: what the database's functions would have written as it happened. */
export function addPoints(rows: Rows) {
  const courseOf = courseOfLesson(rows);
  const entries: Rows['pointEntries'] = [];
  for (const { userId, courseId, id = '', issuedAt } of rows.certificates) {
    const common = { userId, courseId, createdAt: issuedAt };
    entries.push({ ...common, reason: 'course', subject: courseId, tenths: 1000 });
    entries.push({ ...common, reason: 'certificate', subject: id, tenths: 500 });
  }
  entries.push(...timeEntries(rows, courseOf));
  const best = new Map<string, number>();
  for (const { userId, lessonId, number, score, submittedAt } of rows.quizAttempts) {
    const key = `${userId} ${lessonId}`;
    const tenths = Math.round(score) - Math.round(best.get(key) ?? 0);
    best.set(key, Math.max(score, best.get(key) ?? 0));
    if (tenths <= 0) continue;
    entries.push({
      userId,
      courseId: courseOf.get(lessonId),
      reason: 'quiz',
      subject: lessonId,
      turn: number,
      tenths,
      createdAt: submittedAt,
    });
  }
  const points = new Map(rows.achievements.map((one) => [one.key, one.points ?? 0]));
  for (const { userId, achievementKey, earnedAt } of rows.userAchievements) {
    entries.push({
      userId,
      reason: 'achievement',
      subject: achievementKey,
      tenths: (points.get(achievementKey) ?? 0) * 10,
      createdAt: earnedAt,
    });
  }
  const byTime = (a: (typeof entries)[number], b: (typeof entries)[number]) =>
    String(a.createdAt).localeCompare(String(b.createdAt));
  rows.pointEntries.push(...entries.sort(byTime));
}

/** A tenth for each whole minute of all lessons together, credited with the lesson that filled it. */
function timeEntries(rows: Rows, courseOf: Map<string, string>): Rows['pointEntries'] {
  const seconds = new Map<string, number>();
  const done = [...rows.lessonCompletions].sort((a, b) =>
    String(a.completedAt).localeCompare(String(b.completedAt)),
  );
  return done.flatMap(({ userId, lessonId, timeSpentSeconds = 0, completedAt }) => {
    const before = seconds.get(userId) ?? 0;
    seconds.set(userId, before + timeSpentSeconds);
    const tenths = Math.floor((before + timeSpentSeconds) / 60) - Math.floor(before / 60);
    if (tenths === 0) return [];
    const courseId = courseOf.get(lessonId);
    return [
      { userId, courseId, reason: 'time', subject: lessonId, tenths, createdAt: completedAt },
    ];
  });
}

function courseOfLesson(rows: Rows): Map<string, string> {
  const courseOfModule = new Map(rows.modules.map(({ id, courseId }) => [id, courseId]));
  return new Map(
    rows.lessons.map(({ id = '', moduleId }) => [id, courseOfModule.get(moduleId) ?? '']),
  );
}
