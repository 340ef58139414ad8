import postgres, { type Sql, type TransactionSql } from 'postgres';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';

const publish = (sql: Sql | TransactionSql, topic: string, event: string, payload: object = {}) =>
  sql`select private.publish(${topic}, ${event}, ${JSON.stringify(payload)}::text::jsonb)`;

const numbersOf = async (sql: Sql, topic: string) =>
  (
    await sql<{ seq: number }[]>`
      select seq::integer from private.live_events where topic = ${topic} order by seq`
  ).map((row) => row.seq);

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('numbers', () => {
  it('have no holes and no repeats under 50 concurrent writers on shared topics', async () => {
    await using db = await testDatabase();
    const topics = ['course:a', 'course:b', 'thread:c'];
    const rounds = 10;
    // Some tell one event and nothing else, which has a way of its own.
    const topicsOf = (writer: number) =>
      writer % 5 === 0 ? ['course:a'] : writer % 2 === 0 ? topics : topics.toReversed();
    await Promise.all(
      upTo(50).map(async (writer) => {
        for (const round of upTo(rounds)) {
          const fails = (writer + round) % 7 === 0;
          await db.sql
            .begin(async (tx) => {
              for (const topic of topicsOf(writer)) {
                await publish(tx, topic, 'tested', { writer, round });
              }
              if (fails) throw new Error('rolled back on purpose');
            })
            .catch((error: Error) => expect(error.message).toBe('rolled back on purpose'));
        }
      }),
    );
    const committed = upTo(50).flatMap((writer) =>
      upTo(rounds)
        .filter((round) => (writer + round) % 7 !== 0)
        .flatMap(() => topicsOf(writer)),
    );
    for (const topic of topics) {
      const told = committed.filter((one) => one === topic).length;
      expect(await numbersOf(db.sql, topic)).toEqual(upTo(told));
      const [head] = await db.sql`select private.live_cursor(${topic})::integer as seq`;
      expect(head?.seq).toBe(told);
    }
    const [sent] = await db.sql`select count(*)::integer as count from realtime.messages`;
    expect(sent?.count).toBe(committed.length);
  });

  it('do not deadlock transactions that publish to the same topics in opposite order', async () => {
    await using db = await testDatabase();
    const both = ['course:a', 'course:b'];
    await Promise.all(
      upTo(16).flatMap((writer) =>
        upTo(20).map(() =>
          db.sql.begin(async (tx) => {
            for (const topic of writer % 2 === 0 ? both : both.toReversed()) {
              await publish(tx, topic, 'tested');
            }
          }),
        ),
      ),
    );
    const [stats] = await db.sql`
      select deadlocks::integer from pg_stat_database where datname = current_database()`;
    expect(stats?.deadlocks).toBe(0);
    expect(await numbersOf(db.sql, 'course:a')).toEqual(upTo(320));
  });

  it('keep the order of publishing within a transaction', async () => {
    await using db = await testDatabase();
    await db.sql.begin(async (tx) => {
      for (const event of ['first', 'second', 'third']) await publish(tx, 'course:a', event);
    });
    const events = await db.sql`select event from private.live_events order by seq`;
    expect(events.map((row) => row.event as string)).toEqual(['first', 'second', 'third']);
    // Realtime reads them from the log, in which they stand as they were written.
    const sent = await db.sql`select event from realtime.messages order by ctid`;
    expect(sent.map((row) => row.event as string)).toEqual(['first', 'second', 'third']);
  });
});

describe('an event', () => {
  it('exists exactly when its change was committed', async () => {
    await using db = await testDatabase();
    const told = db.sql.begin(async (tx) => {
      await publish(tx, 'course:a', 'kept');
      // Another session sees nothing before the commit, not even a number taken.
      expect(await numbersOf(db.sql, 'course:a')).toEqual([]);
    });
    await told;
    expect(await numbersOf(db.sql, 'course:a')).toEqual([1]);
  });

  it('leaves nothing when the transaction is rolled back', async () => {
    await using db = await testDatabase();
    await expect(
      db.sql.begin(async (tx) => {
        await publish(tx, 'course:a', 'lost');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    const [left] = await db.sql`
      select
        (select count(*) from private.live_events)::integer as events,
        (select count(*) from private.live_topics where topic = 'course:a')::integer as topics,
        (select count(*) from realtime.messages)::integer as messages`;
    expect(left).toEqual({ events: 0, topics: 0, messages: 0 });
  });

  it('goes with the savepoint that it was published in, and only with it', async () => {
    await using db = await testDatabase();
    await db.sql.begin(async (tx) => {
      await tx
        .savepoint(async (inner) => {
          await publish(inner, 'course:a', 'lost first');
          throw new Error('no');
        })
        .catch(() => 'expected');
      await publish(tx, 'course:a', 'kept');
      await tx.savepoint((inner) => publish(inner, 'course:a', 'kept too'));
      await tx
        .savepoint(async (inner) => {
          await publish(inner, 'course:a', 'lost');
          throw new Error('no');
        })
        .catch(() => 'expected');
    });
    const events = await db.sql`select seq::integer, event from private.live_events order by seq`;
    expect([...events]).toEqual([
      { seq: 1, event: 'kept' },
      { seq: 2, event: 'kept too' },
    ]);
  });

  it('is told at once when constraints are made immediate, and later ones still at commit', async () => {
    await using db = await testDatabase();
    await db.sql.begin(async (tx) => {
      await publish(tx, 'course:a', 'early');
      await tx`set constraints all immediate`;
      const [early] = await tx`select count(*)::integer as count from private.live_events`;
      expect(early?.count).toBe(1);
      await publish(tx, 'course:a', 'late');
    });
    expect(await numbersOf(db.sql, 'course:a')).toEqual([1, 2]);
  });

  it('reaches Realtime as a private broadcast with its number, its time and an id', async () => {
    await using db = await testDatabase();
    await publish(db.sql, 'course:a', 'lesson.published', { title: 'Täst' });
    const [message] = await db.sql`select * from realtime.messages`;
    expect(message).toMatchObject({
      topic: 'course:a',
      extension: 'broadcast',
      event: 'lesson.published',
      private: true,
      payload: { id: message?.id as string, seq: 1, data: { title: 'Täst' } },
    });
    const [stored] = await db.sql`
      select private.epoch_ms(created_at)::float8 as at from private.live_events`;
    expect((message?.payload as { at: number }).at).toBe(stored?.at);
  });

  it('is kept, and its change too, when Realtime cannot take it', async () => {
    await using db = await testDatabase();
    const course = await db.a.course().taughtBy(await db.a.instructor());
    const student = await db.a.student();
    const admin = postgres(db.adminUrl, { max: 1, onnotice: () => undefined });
    await admin`
      alter table realtime.messages add constraint refuse_all check (topic = 'nothing') not valid`;
    await admin.end();
    await db.sql`insert into enrollments (user_id, course_id) values (${student.id}, ${course.id})`;
    await publish(db.sql, 'thread:alone', 'told');
    expect(await numbersOf(db.sql, 'thread:alone')).toEqual([1]);
    expect(await numbersOf(db.sql, `user:${student.id}`)).toEqual([1]);
    expect(await numbersOf(db.sql, `course:${course.id}:staff`)).toEqual([1]);
    const [left] = await db.sql`
      select
        (select count(*) from enrollments)::integer as enrollments,
        (select count(*) from notifications)::integer as notifications,
        (select count(*) from realtime.messages)::integer as messages`;
    expect(left).toEqual({ enrollments: 1, notifications: 1, messages: 0 });
  });

  it('goes after seven days, and says so to who asks for it', async () => {
    await using db = await testDatabase();
    await publish(db.sql, 'course:a', 'old');
    await publish(db.sql, 'course:a', 'new');
    await db.sql`
      update private.live_events set created_at = now() - interval '8 days' where event = 'old'`;
    const [removed] = await db.sql`select private.remove_old_live_events() as count`;
    expect(removed?.count).toBe(1);
    const [tooOld] = await db.sql`select live_since('course:a', 0) as answer`;
    expect(tooOld?.answer).toEqual({ status: 'too-old', head: 2, epoch: 0 });
    const [fresh] = await db.sql`select live_since('course:a', 1) as answer`;
    expect(fresh?.answer).toMatchObject({ status: 'events', head: 2, events: [{ seq: 2 }] });
  });
});
