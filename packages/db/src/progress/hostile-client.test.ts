import { expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

/** What belongs to a student of a course, and whether the course's staff see it too. */
const OF_A_STUDENT: [table: string, isSeenByStaff: boolean][] = [
  ['lesson_completions', true],
  ['module_completions', true],
  ['lesson_progress', true],
  ['quiz_attempts', true],
  ['certificates', true],
  ['learning_stats', false],
  ['point_entries', false],
  ['user_achievements', false],
  ['hidden_students', false],
];

/** What belongs to the staff of a course. */
const OF_STAFF = ['course_drafts', 'lesson_drafts', 'lesson_versions'];

const QUIZ = {
  passPercent: 0,
  attemptsMax: null,
  questions: [{ id: 'q', kind: 'short', prompt: '?', points: 1, accepted: ['x'] }],
};

/** A student who has done everything once, in a course with drafts. */
async function setUp(db: TestDatabase) {
  const author = await db.a.instructor();
  const course = await db.a.course().taughtBy(author);
  const { lessonIds } = await db.a.module(course, [{}, { kind: 'quiz', quiz: QUIZ }]);
  const [lesson = '', quiz = ''] = lessonIds;
  const ann = await db.a.student().enrolledIn(course);
  await db.as(ann, async (tx) => {
    await tx`select public.complete_lesson(${lesson}, 60)`;
    await tx`select public.submit_quiz(${quiz}, 1, '{}')`;
    await tx`select public.set_leaderboard_hidden(true)`;
  });
  await db.as(author, async (tx) => {
    await tx`select public.publish_course(${course.id})`;
    await tx`select public.save_lesson_draft(${lesson}, 0, '{"title": "Secret"}')`;
    await tx`select public.save_course_draft(${course.id}, 0, '{"title": "Secret"}')`;
  });
  const others = [await db.a.student(), await db.a.instructor()];
  return { author, course, ann, others, lesson };
}

async function rowsSeen(db: TestDatabase, user: BuiltUser, table: string): Promise<number> {
  const rows = await db.as(user, (tx) => tx.unsafe(`select * from public.${table}`));
  return rows.length;
}

it('shows what a student did to the student, some of it to the staff, and to nobody else', async () => {
  await using db = await testDatabase();
  const { author, ann, others } = await setUp(db);
  for (const [table, isSeenByStaff] of OF_A_STUDENT) {
    expect(await rowsSeen(db, ann, table), table).toBeGreaterThan(0);
    expect((await rowsSeen(db, author, table)) > 0, table).toBe(isSeenByStaff);
    for (const other of others) expect(await rowsSeen(db, other, table), table).toBe(0);
  }
  for (const table of OF_STAFF) {
    expect(await rowsSeen(db, author, table), table).toBeGreaterThan(0);
    for (const other of [ann, ...others]) expect(await rowsSeen(db, other, table), table).toBe(0);
  }
});

it('lets nobody write any of it by hand, not even what is theirs', async () => {
  await using db = await testDatabase();
  const { ann, author } = await setUp(db);
  const tables = [
    ...OF_A_STUDENT.map(([table]) => table),
    ...OF_STAFF,
    ...['achievements', 'courses', 'modules', 'lessons', 'course_versions', 'course_instructors'],
  ];
  for (const table of tables) {
    const [column] = await db.sql<{ name: string }[]>`
      select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = ${table} and is_identity = 'NO'
      order by ordinal_position limit 1`;
    for (const statement of [
      `insert into public.${table} default values`,
      `update public.${table} set ${column?.name} = ${column?.name}`,
      `delete from public.${table}`,
      `truncate public.${table}`,
    ]) {
      for (const user of [ann, author]) {
        const writing = db.as(user, (tx) => tx.unsafe(statement));
        await expect(writing, statement).rejects.toThrow('permission denied');
      }
      const nobody = db.as(null, (tx) => tx.unsafe(statement));
      await expect(nobody, statement).rejects.toThrow('permission denied');
    }
    const reading = db.as(null, (tx) => tx.unsafe(`select * from public.${table}`));
    await expect(reading, table).rejects.toThrow('permission denied');
  }
});

it('gives the functions behind the doors to nobody', async () => {
  await using db = await testDatabase();
  const { ann, course, lesson } = await setUp(db);
  for (const call of [
    `private.award_points('${ann.id}', '[{"reason": "quiz", "subject": "x", "tenths": 100000}]')`,
    `private.finish_course('${ann.id}', '${course.id}')`,
    `private.complete_lesson_for('${ann.id}', '${lesson}', 0)`,
    `private.count_helpful_answers('${ann.id}', 100)`,
    `private.earn_achievements('${ann.id}')`,
    `private.reevaluate_course('${course.id}')`,
    `private.tell_leaderboards()`,
  ]) {
    const calling = db.as(ann, (tx) => tx.unsafe(`select ${call}`));
    await expect(calling, call).rejects.toThrow('permission denied');
  }
});

it('reads no lesson, quiz or roster past the door either', async () => {
  await using db = await testDatabase();
  const { course, lesson, others, ann } = await setUp(db);
  for (const other of others) {
    for (const [call, code] of [
      [`lesson_page('${lesson}')`, 'ENROLLMENT_REQUIRED'],
      [`course_content('${course.id}')`, 'ENROLLMENT_REQUIRED'],
      [`course_progress('${course.id}')`, 'ENROLLMENT_REQUIRED'],
      [`submit_quiz('${lesson}', 1, '{}')`, 'ENROLLMENT_REQUIRED'],
      [`report_time('${lesson}', 10, 0)`, 'ENROLLMENT_REQUIRED'],
      [`course_roster('${course.id}', null, null, 10)`, 'COURSE_NOT_FOUND'],
      [`lesson_workbench('${lesson}')`, 'LESSON_NOT_FOUND'],
      [`set_course_archived('${course.id}', true)`, 'COURSE_NOT_FOUND'],
    ] as const) {
      const calling = db.as(other, (tx) => tx.unsafe(`select public.${call}`));
      await expect(calling, call).rejects.toThrow(code);
    }
  }
  const roster = db.as(ann, (tx) => tx`select public.course_roster(${course.id}, null, null, 9)`);
  await expect(roster).rejects.toThrow('COURSE_NOT_FOUND');
});
