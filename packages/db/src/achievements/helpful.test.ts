import { expect, it } from 'vitest';
import { testDatabase, type Actor, type TestDatabase } from '../testing/index.ts';

async function discussion(db: TestDatabase) {
  const iris = await db.a.instructor();
  const course = await db.a.course().taughtBy(iris);
  const ann = await db.a.student().enrolledIn(course);
  const [thread] = await db.sql<{ id: string }[]>`
    insert into discussion_threads (course_id, title, created_by)
    values (${course.id}, 'Joins', ${ann.id}) returning id`;
  const say = async (who: Actor) => {
    const [message] = await db.as(
      who,
      (tx) => tx<{ id: string }[]>`
        insert into thread_messages (thread_id, sender_id, content)
        values (${thread!.id}, ${who.id}, 'Count the ids.') returning id`,
    );
    return message!.id;
  };
  const endorse = (message: string, isEndorsed: boolean) =>
    db.as(iris, (tx) => tx`select private.endorse_thread_message(${message}, ${isEndorsed})`);
  const answer = (message: string | null) =>
    db.as(
      iris,
      (tx) => tx`update discussion_threads set answer_id = ${message} where id = ${thread!.id}`,
    );
  const remove = (who: Actor, message: string) =>
    db.as(who, (tx) => tx`select private.delete_thread_message(${message})`);
  const countOf = async ({ id }: Actor) => {
    const [row] = await db.sql<{ helpful: number }[]>`
      select coalesce(max(helpful_answers), 0)::int as helpful
      from learning_stats where user_id = ${id}`;
    return row?.helpful;
  };
  return { iris, ann, course, say, endorse, answer, remove, countOf };
}

it('counts an answer once, however often and in whichever ways it is marked, and not when it isn’t any more', async () => {
  await using db = await testDatabase();
  const { iris, ann, say, endorse, answer, remove, countOf } = await discussion(db);
  const message = await say(ann);
  const steps: [step: () => Promise<unknown>, count: number][] = [
    [() => endorse(message, true), 1],
    [() => endorse(message, true), 1],
    [() => answer(message), 1],
    [() => endorse(message, false), 1],
    [() => answer(null), 0],
    [() => answer(null), 0],
    [() => answer(message), 1],
    [() => remove(ann, message), 0],
  ];
  for (const [step, count] of steps) {
    await step();
    expect(await countOf(ann), String(step)).toBe(count);
  }
  // What was earned by it stays earned, told once.
  const earned = await db.sql`
    select achievement_key from user_achievements
    where user_id = ${ann.id} and achievement_key = 'helpful_answer'`;
  expect(earned).toHaveLength(1);
  const told = await db.sql`
    select from notifications where user_id = ${ann.id} and message like '%helping hand%'`;
  expect(told).toHaveLength(1);
  // Who teaches the course is expected to know.
  await endorse(await say(iris), true);
  expect(await countOf(iris)).toBe(0);
});

it('counts once also when an answer is marked in many ways at the same moment', async () => {
  await using db = await testDatabase();
  const { ann, say, endorse, answer, countOf } = await discussion(db);
  const [first, second] = [await say(ann), await say(ann)];
  await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      at % 3 === 2 ? answer(at % 2 ? first : second) : endorse(at % 2 ? first : second, true),
    ),
  );
  expect(await countOf(ann)).toBe(2);
  await Promise.all([endorse(first, false), endorse(second, false), answer(null)]);
  expect(await countOf(ann)).toBe(0);
});

it('lets nobody mark a message by hand', async () => {
  await using db = await testDatabase();
  const { ann, say } = await discussion(db);
  const message = await say(ann);
  await expect(
    db.as(ann, (tx) => tx`update thread_messages set is_helpful = true where id = ${message}`),
  ).rejects.toThrow(/permission denied/);
});
