import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { testDatabase } from './testing/index.ts';

const ROOT = new URL('../../../', import.meta.url);

/** What no capability’s own tests show: see GUIDE-DEFECTS.md. */
describe('what the guides get wrong', () => {
  it('policies ask who someone is once a statement, never row by row', async () => {
    await using db = await testDatabase();
    const conditions = await db.sql<{ policy: string; condition: string }[]>`
      select tablename || ': ' || policyname as policy, concat(qual, ' ', with_check) as condition
      from pg_policies
      where schemaname = 'public'`;
    expect(conditions.length).toBeGreaterThan(40);
    // As Postgres writes a subselect: ( SELECT auth.uid() AS uid).
    const byRow = /(?<!SELECT )\b(?:auth|private)\.\w+\(/;
    expect(conditions.filter(({ condition }) => byRow.test(condition))).toEqual([]);
  });

  it('what belongs to someone or something says to whom, and is there once', async () => {
    await using db = await testDatabase();
    const nullable = await db.sql<{ name: string }[]>`
      select table_name || '.' || column_name as name
      from information_schema.columns
      where table_schema = 'public' and is_nullable = 'YES'
        and (table_name, column_name) in (
          ('notifications', 'user_id'), ('notifications', 'type'), ('thread_messages', 'thread_id'),
          ('student_presence', 'user_id'), ('learning_stats', 'user_id'), ('certificates', 'user_id'),
          ('enrollments', 'user_id'), ('enrollments', 'course_id'),
          ('lesson_completions', 'user_id'), ('lesson_completions', 'lesson_id')
        )`;
    expect([...nullable]).toEqual([]);
    const student = await db.a.student();
    const totals = () => db.sql`insert into learning_stats (user_id) values (${student.id})`;
    const presence = () => db.sql`insert into student_presence (user_id) values (${student.id})`;
    await db.sql`delete from learning_stats`;
    for (const insert of [totals, presence]) {
      await insert();
      await expect(insert()).rejects.toMatchObject({ code: '23505' });
    }
  });

  it('discussions and messages are published, and the leaderboard can do without', async () => {
    await using db = await testDatabase();
    const published = await db.sql<{ name: string }[]>`
      select tablename as name from pg_publication_tables where pubname = 'supabase_realtime'`;
    expect(published.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['thread_messages', 'discussion_threads', 'messages']),
    );
    expect(published.map(({ name }) => name)).not.toContain('leaderboard');
  });

  it('a person’s notifications come from an index, in its order, also the unread ones', async () => {
    await using db = await testDatabase();
    const ann = await db.a.student();
    await db.sql`
      insert into notifications (user_id, type, title, message)
      select ${ann.id}, 'system', 'Told', 'Text' from generate_series(1, 500)`;
    await db.sql`analyze notifications`;
    for (const condition of ["box = 'inbox'", "box = 'inbox' and read_at is null"]) {
      const plan = await db.as(ann, async (tx) => {
        // Few rows would be read as they lie, whatever indexes there are.
        await tx`set local enable_seqscan = off`;
        return tx.unsafe(`
          explain select * from notifications
          where user_id = '${ann.id}' and ${condition}
            and (listed_at, id) < (now() + interval '1 day', '${ann.id}')
          order by listed_at desc, id desc limit 20`);
      });
      const lines = plan.map((line) => String(line['QUERY PLAN'])).join('\n');
      expect(lines, condition).toContain('Index Scan Backward using notifications_');
      expect(lines, condition).toMatch(/Index Cond: .*box = 'inbox'/);
      expect(lines, condition).not.toContain('Sort');
    }
  });

  it('a change moves `updated_at`, and nobody sets it', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    const [before] = await db.sql`select updated_at from users where id = ${user.id}`;
    await db.as(user, (tx) => tx`update users set first_name = 'Zoë'`);
    const [after] = await db.sql`
      select updated_at > ${before!['updated_at'] as string}::timestamptz as moved
      from users where id = ${user.id}`;
    expect(after).toEqual({ moved: true });
    await expect(
      db.as(user, (tx) => tx`update users set updated_at = '2000-01-01'`),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('a person can be erased, and what others wrote to them stays', async () => {
    await using db = await testDatabase();
    const teacher = await db.a.instructor();
    const course = await db.a.course().taughtBy(teacher);
    const [ann, bob] = [
      await db.a.student().enrolledIn(course),
      await db.a.student().enrolledIn(course),
    ];
    const thread = crypto.randomUUID();
    await db.as(
      ann,
      (tx) => tx`
        insert into discussion_threads (id, course_id, title, created_by)
        values (${thread}, ${course.id}, 'Why?', ${ann.id})`,
    );
    for (const [who, text] of [
      [ann, 'I wonder'],
      [bob, 'Because'],
    ] as const) {
      await db.as(
        who,
        (tx) => tx`
          insert into thread_messages (thread_id, sender_id, content)
          values (${thread}, ${who.id}, ${text})`,
      );
    }
    await db.as(
      bob,
      (tx) => tx`
        insert into messages (sender_id, recipient_id, content)
        values (${bob.id}, ${ann.id}, 'Got it?')`,
    );
    await db.sql`
      insert into payments (user_id, course_id, amount_cents, status)
      values (${ann.id}, ${course.id}, 100, 'succeeded')`;

    await db.sql`delete from auth.users where id = ${ann.id}`;
    expect(await db.sql`select from users where id = ${ann.id}`).toHaveLength(0);
    expect([...(await db.sql`select title, created_by from discussion_threads`)]).toEqual([
      { title: 'Why?', created_by: null },
    ]);
    const messages = await db.sql`select sender_id, content from thread_messages order by number`;
    expect([...messages]).toEqual([
      { sender_id: null, content: 'I wonder' },
      { sender_id: bob.id, content: 'Because' },
    ]);
    expect([...(await db.sql`select content from messages`)]).toEqual([{ content: 'Got it?' }]);
    expect([...(await db.sql`select user_id from payments`)]).toEqual([{ user_id: null }]);
  });

  it('a payment is seen by who paid and by the staff of its course', async () => {
    await using db = await testDatabase();
    const teacher = await db.a.instructor();
    const course = await db.a.course().taughtBy(teacher);
    const ann = await db.a.student().enrolledIn(course);
    const bob = await db.a.student().enrolledIn(course);
    await db.sql`
      insert into payments (user_id, course_id, amount_cents, status)
      values (${ann.id}, ${course.id}, 100, 'succeeded')`;
    const seen = async (who: { id: string }) =>
      (await db.as(who, (tx) => tx`select id from payments`)).length;
    expect([await seen(ann), await seen(teacher), await seen(bob)]).toEqual([1, 1, 0]);
  });

  it('a direct message has a length', async () => {
    await using db = await testDatabase();
    const course = await db.a.course();
    const ann = await db.a.student().enrolledIn(course);
    const bob = await db.a.student().enrolledIn(course);
    const write = (content: string) =>
      db.as(
        ann,
        (tx) => tx`
          insert into messages (sender_id, recipient_id, content)
          values (${ann.id}, ${bob.id}, ${content})`,
      );
    for (const content of ['', 'x'.repeat(20_001)]) {
      await expect(write(content)).rejects.toMatchObject({ code: '23514' });
    }
  });
});

it('the table of the guides’ defects names tests that there are', async () => {
  const table = await readFile(new URL('../GUIDE-DEFECTS.md', import.meta.url), 'utf8');
  const rows = table.split('\n').filter((line) => /^\|\s*\d+\s*\|/.test(line));
  expect(rows.map((row) => Number(row.split('|')[1]))).toEqual(
    Array.from({ length: 53 }, (_, at) => at + 1),
  );
  const sources = new Map<string, Promise<string>>();
  const missing: string[] = [];
  for (const row of rows) {
    const named = [...row.matchAll(/`([^`]+\.test\.ts)` “(.+?)”(?= *(?:;|\|))/g)];
    if (named.length === 0) missing.push(row);
    for (const [, path = '', title = ''] of named) {
      if (!sources.has(path)) sources.set(path, readFile(new URL(path, ROOT), 'utf8'));
      if (!(await sources.get(path))?.includes(title)) missing.push(`${path}: ${title}`);
    }
  }
  expect(missing).toEqual([]);
});
