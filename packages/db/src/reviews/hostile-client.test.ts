import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

it('over REST, nobody reviews as another, where they don’t learn, or in the staff’s name', async () => {
  await using db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const elsewhere = await db.a.course();
  const victim = await db.a.student().enrolledIn(course);
  const attacker = await db.a.student().enrolledIn(course);
  await db.sql`
    insert into course_reviews (user_id, course_id, rating) values (${victim.id}, ${course.id}, 5)`;
  await using eve = await supabaseClient(db, attacker);
  const row = { user_id: attacker.id, course_id: course.id, rating: 5 };
  for (const forged of [
    { ...row, user_id: victim.id, course_id: elsewhere.id },
    { ...row, course_id: elsewhere.id },
    { ...row, reply: 'The staff agrees' },
    { ...row, created_at: '2000-01-01T00:00:00Z' },
  ]) {
    const { error } = await eve.from('course_reviews').insert(forged);
    expect(error?.code, JSON.stringify(forged)).toBe('42501');
  }
  expect((await eve.from('course_reviews').insert(row)).error).toBeNull();
  expect((await eve.from('course_reviews').insert(row)).error?.code).toBe('23505');
  const theirs = eve.from('course_reviews');
  expect((await theirs.update({ rating: 1 }).eq('user_id', victim.id).select()).data).toEqual([]);
  expect((await theirs.delete().eq('user_id', victim.id).select()).data).toEqual([]);
  const [review] = await db.sql<{ id: string }[]>`
    select id from course_reviews where user_id = ${attacker.id}`;
  const replied = await eve.rpc('reply_to_review', { review_id: review?.id, reply: 'So true' });
  expect(replied.data).toBe(false);
});
