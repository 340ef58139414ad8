import type { Journey } from './journeys.ts';
import type { Person } from './people.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, dayOf, iso } from './time.ts';

const ACHIEVEMENTS: Rows['achievements'] = [
  {
    key: 'first_lesson',
    title: 'First step',
    description: 'Finish your first lesson.',
    icon: 'footprints',
    points: 5,
    rule: { lessonsCompleted: 1 },
  },
  {
    key: 'first_course',
    title: 'From start to finish',
    description: 'Finish a whole course.',
    icon: 'graduation-cap',
    points: 25,
    rule: { coursesCompleted: 1 },
  },
  {
    key: 'five_courses',
    title: 'Well read',
    description: 'Finish five courses.',
    icon: 'library',
    points: 100,
    rule: { coursesCompleted: 5 },
  },
  {
    key: 'seven_day_streak',
    title: 'Seven days running',
    description: 'Learn on seven days in a row.',
    icon: 'flame',
    points: 50,
    rule: { streakDays: 7 },
  },
];

/** Writes each student's totals, and what they have earned by them. */
export function addTotals(rows: Rows, students: Person[], journeys: Journey[], now: number) {
  rows.achievements.push(...ACHIEVEMENTS);
  for (const { id: userId } of students) {
    const own = journeys.filter(({ student }) => student.id === userId);
    const lessons = own.flatMap((way) => way.lessons).sort((a, b) => a.at - b.at);
    const finished = own.flatMap(({ completedAt }) => completedAt ?? []).sort((a, b) => a - b);
    const days = [...new Set(lessons.map(({ at }) => dayOf(at)))];
    const active = [...lessons.map(({ at }) => at), ...own.map(({ enrolledAt }) => enrolledAt)];
    const timeSpentSeconds = lessons.reduce((sum, { seconds }) => sum + seconds, 0);
    rows.learningStats.push({
      userId,
      lessonsCompleted: lessons.length,
      coursesCompleted: finished.length,
      certificatesEarned: finished.length,
      timeSpentSeconds,
      totalTimeSpent: Math.floor(timeSpentSeconds / 60),
      averageScore: averageScore(rows, userId),
      currentStreakDays: currentStreak(days, dayOf(now)),
      longestStreakDays: Math.max(0, ...days.map((day) => currentStreak(days, day))),
      lastActiveDay: days.length > 0 ? iso(Math.max(...days) * DAY_MS).slice(0, 10) : null,
      lastActiveAt: active.length > 0 ? iso(Math.max(...active)) : null,
      updatedAt: iso(active.length > 0 ? Math.max(...active) : now),
    });
    const week = days.find((day) => [1, 2, 3, 4, 5, 6].every((ago) => days.includes(day - ago)));
    const earned: [string, number | undefined][] = [
      ['first_lesson', lessons[0]?.at],
      ['first_course', finished[0]],
      ['five_courses', finished[4]],
      ['seven_day_streak', lessons.find(({ at }) => dayOf(at) === week)?.at],
    ];
    for (const [achievementKey, at] of earned) {
      if (at !== undefined)
        rows.userAchievements.push({ userId, achievementKey, earnedAt: iso(at) });
    }
  }
}

/** Of a student's best scores; null before the first attempt. */
function averageScore(rows: Rows, userId: string): number | null {
  const scores = rows.lessonProgress.flatMap((one) =>
    one.userId === userId && typeof one.bestScore === 'number' ? [one.bestScore] : [],
  );
  if (scores.length === 0) return null;
  return Math.round((100 * scores.reduce((sum, one) => sum + one, 0)) / scores.length) / 100;
}

/** The days in a row up to today, or to yesterday while today is still to come. */
export function currentStreak(days: number[], today: number): number {
  const seen = new Set(days);
  let day = seen.has(today) ? today : today - 1;
  let streak = 0;
  while (seen.has(day)) {
    streak += 1;
    day -= 1;
  }
  return streak;
}
