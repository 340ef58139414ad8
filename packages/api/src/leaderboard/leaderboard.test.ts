import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import {
  followOutput,
  leaderboardEventSchemas,
  pointsOutput,
  rankEventSchemas,
  topOutput,
} from './contract.ts';

async function award(room: Classroom, { id }: { id: string }, points: number): Promise<void> {
  await room.db.sql`
    select private.award_points(${id}, jsonb_build_array(jsonb_build_object(
      'reason', 'quiz', 'subject', gen_random_uuid(), 'tenths', ${points * 10}::integer
    )))`;
}
const tell = (room: Classroom) => room.db.sql`select private.tell_leaderboards()`;

it('shows the top, one’s own standing, and why', async () => {
  await using room = await classroom();
  const [ann, bob] = [await room.db.a.student(), await room.db.a.student()];
  await award(room, ann, 20);
  await award(room, bob, 30);
  await tell(room);
  const { leaderboard, live } = await room.as(ann);
  const top = await leaderboard.top.query({});
  expect(topOutput.safeParse(top).error).toBeUndefined();
  expect(top.data).toMatchObject({
    students: 2,
    entries: [{ userId: bob.id }, { userId: ann.id }],
  });
  const standing = await leaderboard.follow.mutate({ scope: 'week' });
  expect(followOutput.safeParse(standing).error).toBeUndefined();
  expect(standing.data).toMatchObject({ rank: 2, points: 20, students: 2 });
  await award(room, ann, 11);
  await tell(room);
  const since = await live.since.query(standing.cursor);
  if (since.status !== 'events') throw new Error(since.status);
  const [told] = since.events;
  expect(rankEventSchemas['leaderboard.rank'].parse(told?.data)).toMatchObject({
    scope: 'week',
    standing: { rank: 1, points: 31 },
  });
  const changes = await live.since.query(top.cursor);
  if (changes.status !== 'events') throw new Error(changes.status);
  expect(
    leaderboardEventSchemas['leaderboard.changed'].parse(changes.events[0]?.data).entries,
  ).toHaveLength(2);

  const points = await leaderboard.points.query({ limit: 1 });
  expect(pointsOutput.safeParse(points).error).toBeUndefined();
  expect(points.items).toMatchObject([{ reason: 'quiz', points: 11 }]);
  const rest = await leaderboard.points.query({ limit: 1, cursor: points.nextCursor ?? 0 });
  expect(rest).toMatchObject({ items: [{ points: 20 }], nextCursor: null });
});

it('lets students leave it, and keeps courses to those who are in them', async () => {
  await using room = await classroom();
  const course = await room.db.a.course();
  const ann = await room.db.a.student();
  await award(room, ann, 20);
  const { leaderboard } = await room.as(ann);
  await leaderboard.setHidden.mutate({ isHidden: true });
  await tell(room);
  expect((await leaderboard.top.query({})).data.entries).toEqual([]);
  expect((await leaderboard.standing.query({})).data).toMatchObject({ rank: 1, isHidden: true });
  for (const call of [
    () => leaderboard.top.query({ scope: course.id }),
    () => leaderboard.standing.query({ scope: course.id }),
    () => leaderboard.follow.mutate({ scope: course.id }),
  ]) {
    expect(await refusal(call())).toMatchObject({ httpStatus: 403, appCode: 'TOPIC_FORBIDDEN' });
  }
  const wrong = leaderboard.top.query({ scope: 'galaxy' });
  expect(await refusal(wrong)).toMatchObject({ httpStatus: 400 });
  const nobody = await room.as(null);
  expect(await refusal(nobody.leaderboard.top.query({}))).toMatchObject({ httpStatus: 401 });
});

it('answers the guide’s route as its component reads it', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  await award(room, ann, 20);
  const response = await room.rest(ann, 'GET', '/api/leaderboard');
  expect(await response.json()).toEqual({
    leaders: [
      {
        user_id: ann.id,
        first_name: ann.firstName,
        last_name: ann.lastName,
        avatar: null,
        courses_completed: 0,
        certificates_earned: 0,
        total_time_spent: 0,
        average_score: 0,
        total_points: 20,
        rank: 1,
      },
    ],
  });
  expect((await room.rest(null, 'GET', '/api/leaderboard')).status).toBe(401);
  expect((await room.rest(ann, 'GET', '/api/leaderboard?limit=0')).status).toBe(400);
});
