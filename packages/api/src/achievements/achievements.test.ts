import { expect, it } from 'vitest';
import { classroom } from '../testing/classroom.ts';
import { achievementEventSchemas, listOutput } from './contract.ts';

it('lists what can be earned, and when the caller has', async () => {
  await using room = await classroom();
  const course = await room.db.a.course();
  const module = await room.db.a.module(course, 2);
  const ann = await room.db.a.student().enrolledIn(course);
  const client = await room.as(ann);
  await client.progress.completeLesson.mutate({ lessonId: module.lessonIds[0] ?? '' });
  const list = await client.achievements.list.query();
  expect(listOutput.safeParse(list).error).toBeUndefined();
  const earned = list.data.items.filter(({ earnedAt }) => earnedAt !== null);
  expect(earned.map(({ key }) => key)).toEqual(['first_lesson']);
  expect(list.data.items.length).toBeGreaterThanOrEqual(7);

  const since = await client.live.since.query({ topic: `user:${ann.id}`, seq: 0 });
  if (since.status !== 'events') throw new Error(since.status);
  const told = since.events.find(({ event }) => event === 'achievement.earned');
  const parsed = achievementEventSchemas['achievement.earned'].parse(told?.data);
  expect(parsed.achievement).toEqual(earned[0]);
  const others = await (await room.as(await room.db.a.student())).achievements.list.query();
  expect(others.data.items.every(({ earnedAt }) => earnedAt === null)).toBe(true);
});

it('is earned by streaks, by helping, and by a place among the first', async () => {
  await using room = await classroom();
  const course = await room.db.a.course();
  const module = await room.db.a.module(course, 3);
  const ann = await room.db.a.student().enrolledIn(course);
  const { progress } = await room.as(ann);
  const [first = '', second = ''] = module.lessonIds;
  const keys = ({ achievements }: { achievements: { key: string }[] }) =>
    achievements.map(({ key }) => key).sort();
  expect(keys(await progress.completeLesson.mutate({ lessonId: first }))).toEqual(['first_lesson']);
  await room.db.sql`
    update learning_stats
    set last_active_day = last_active_day - 1, current_streak_days = 6, longest_streak_days = 6`;
  for (let made = 0; made < 20; made += 1) {
    const { id } = await room.db.a.student();
    await room.db.sql`
      select private.award_points(
        ${id}, '[{"reason": "quiz", "subject": "x", "tenths": 1}]'::jsonb
      )`;
  }
  expect(keys(await progress.completeLesson.mutate({ lessonId: second }))).toEqual([
    'seven_day_streak',
    'top_ten',
  ]);
  await room.db.sql`select private.count_helpful_answers(${ann.id}, 1)`;
  await room.db.sql`select private.count_helpful_answers(${ann.id}, 1)`;
  const helped = await room.db.sql`
    select title from notifications where user_id = ${ann.id} and message like '%helping hand%'`;
  expect(helped).toHaveLength(1);
});
