import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { declaredJobs, jobs } from './jobs.ts';
import { testDatabase } from './testing/index.ts';

/** The SQL of the guides, word for word but for the ids. */
describe('the guides', () => {
  it('“Test Database Triggers”: an enrollment notifies the instructor', async () => {
    await using db = await testDatabase();
    const instructor = await db.a.instructor();
    const course = await db.a.course().taughtBy(instructor);
    const student = await db.a.student();
    await db.sql.unsafe(`
      -- Insert test enrollment (will trigger notification)
      INSERT INTO enrollments (user_id, course_id, status)
      VALUES (
        '${student.id}',
        '${course.id}',
        'active'
      );`);
    const rows = await db.sql.unsafe(`
      -- Check if notification was created
      SELECT * FROM notifications
      WHERE user_id = '${instructor.id}'
      ORDER BY created_at DESC
      LIMIT 1;`);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ type: 'enrollment', read_at: null });
  });

  it('“Verify Realtime Publications”: the tables are published', async () => {
    await using db = await testDatabase();
    const rows = await db.sql.unsafe<{ tablename: string }[]>(`
      -- Check what's published
      SELECT tablename FROM pg_publication_tables
      WHERE pubname = 'supabase_realtime';`);
    expect(rows.map(({ tablename }) => tablename)).toEqual(
      expect.arrayContaining([
        'notifications',
        'enrollments',
        'workshop_registrations',
        'student_activity',
        'course_reviews',
        'student_presence',
        'payments',
      ]),
    );
  });

  it('“Helper Functions”: create_notification and cleanup_old_notifications', async () => {
    await using db = await testDatabase();
    const instructor = await db.a.instructor();
    const [created] = await db.sql.unsafe(`
      SELECT create_notification(
        '${instructor.id}',
        'enrollment',
        'New Student Enrolled',
        'John Doe enrolled in your course',
        '{"course_id": "123", "student_name": "John Doe"}'::jsonb
      );`);
    const [row] = await db.sql`select * from notifications`;
    expect(row).toMatchObject({
      id: created?.create_notification as string,
      user_id: instructor.id,
      type: 'enrollment',
      title: 'New Student Enrolled',
      message: 'John Doe enrolled in your course',
      data: { course_id: '123', student_name: 'John Doe' },
    });
    const [cleaned] = await db.sql.unsafe(
      'SELECT cleanup_old_notifications(); -- Returns count of deleted notifications',
    );
    expect(cleaned).toEqual({ cleanup_old_notifications: 0 });
  });

  it('“Troubleshooting”: notifications have policies', async () => {
    await using db = await testDatabase();
    const rows = await db.sql.unsafe(
      "SELECT * FROM pg_policies WHERE tablename = 'notifications';",
    );
    expect(rows.map((row) => row.cmd as string).sort()).toEqual(['DELETE', 'SELECT', 'UPDATE']);
  });
});

describe('the jobs', () => {
  it('run, and are the same for pg_cron', async () => {
    await using db = await testDatabase();
    for (const job of jobs) await db.sql.unsafe(job.sql);
    const scheduled = await readFile(new URL('jobs.sql', import.meta.url), 'utf8');
    const lines = [...scheduled.matchAll(/^ {2}\('(.+)', '(.+)', '(.+)'\),?$/gm)];
    expect(lines.map(([, name, schedule, sql]) => ({ name, schedule, sql }))).toEqual(declaredJobs);
    const failed =
      await db.sql`select name, last_error from private.jobs where last_ok is not true`;
    expect([...failed]).toEqual([]);
  });
});
