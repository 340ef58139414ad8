import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { listOutput } from './contract.ts';

it('takes one review of each who is enrolled, and lets them change it; staff replies', async () => {
  await using room = await classroom();
  const { a, sql } = room.db;
  const instructor = await a.instructor();
  const course = await a.course().taughtBy(instructor);
  const courseId = course.id;
  const student = await room.as(await a.student().enrolledIn(course));
  const other = await room.as(await a.student().enrolledIn(course));
  const stranger = await room.as(await a.student());

  await student.reviews.write.mutate({ courseId, rating: 2, comment: ' Too fast. ' });
  await student.reviews.write.mutate({ courseId, rating: 4, comment: 'Better now.' });
  await other.reviews.write.mutate({ courseId, rating: 5, comment: '' });
  const refused = stranger.reviews.write.mutate({ courseId, rating: 1, comment: 'Bad' });
  expect(await refusal(refused)).toMatchObject({ appCode: 'ENROLLMENT_REQUIRED' });

  const { reviews } = await room.as(instructor);
  const list = await reviews.list.query({ courseId });
  expect(listOutput.safeParse(list).error).toBeUndefined();
  expect(list.data).toMatchObject({ count: 2, average: 4.5, own: null, canReview: false });
  const [, first] = list.data.items;
  await reviews.reply.mutate({ reviewId: first?.id ?? '', reply: 'Thank you!' });
  const own = (await student.reviews.list.query({ courseId })).data;
  expect(own).toMatchObject({ canReview: true, own: { rating: 4, reply: 'Thank you!' } });

  const foreign = (await room.as(await a.instructor())).reviews;
  const reply = foreign.reply.mutate({ reviewId: first?.id ?? '', reply: 'Mine' });
  expect(await refusal(reply)).toMatchObject({ appCode: 'REVIEW_NOT_FOUND' });

  // The average of the dashboard has followed; instructors were told of each review once.
  const { activity } = await room.as(instructor);
  expect((await activity.stats.query({ courseId })).data.averageRating).toBe(4.5);
  const told =
    await sql`select sum(count)::integer as count from notifications where type = 'review'`;
  expect([...told]).toEqual([{ count: 2 }]);
  expect(await student.reviews.remove.mutate({ courseId })).toEqual({ isRemoved: true });
  expect((await activity.stats.query({ courseId })).data).toMatchObject({ ratingCount: 1 });
});
