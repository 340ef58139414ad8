import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { isoTime, onlyRow, rowCount } from '../server/fragments.ts';
import type {
  LeaderboardScope,
  LeaderboardStanding,
  LeaderboardTop,
  leadersOutput,
  PointEntry,
  pointsInput,
  pointsOutput,
} from './contract.ts';

/** The first hundred as they were last told. The database raises TOPIC_FORBIDDEN. */
export async function leaderboardTop(
  tx: UserTransaction,
  scope: LeaderboardScope,
): Promise<Live<LeaderboardTop>> {
  const topic = `leaderboard:${scope}`;
  const { data, seq } = onlyRow(
    await tx.execute<{ data: LeaderboardTop; seq: number }>(sql`
      select public.leaderboard_top(${scope}) as "data", ${liveHead(topic)} as "seq"`),
  );
  return { data, cursor: { topic, seq } };
}

/** Where the user stands, exact at this moment. */
export async function leaderboardStanding(
  tx: UserTransaction,
  userId: string,
  scope: LeaderboardScope,
): Promise<Live<LeaderboardStanding>> {
  const topic = userTopic(userId);
  const { data, seq } = onlyRow(
    await tx.execute<{ data: LeaderboardStanding; seq: number }>(sql`
      select public.leaderboard_standing(${scope}) as "data", ${liveHead(topic)} as "seq"`),
  );
  return { data, cursor: { topic, seq } };
}

/** The same, and for the next ten minutes each change of it is told on the user's topic. */
export async function followLeaderboard(
  tx: UserTransaction,
  userId: string,
  scope: LeaderboardScope,
): Promise<Live<LeaderboardStanding>> {
  const { snapshot } = onlyRow(
    await tx.execute<{ snapshot: { data: LeaderboardStanding; seq: number } }>(
      sql`select public.follow_leaderboard(${scope}) as "snapshot"`,
    ),
  );
  return { data: snapshot.data, cursor: { topic: userTopic(userId), seq: snapshot.seq } };
}

/** Hides the user from all leaderboards, or shows them again. */
export async function setHidden(
  tx: UserTransaction,
  isHidden: boolean,
): Promise<{ isHidden: boolean }> {
  return onlyRow(
    await tx.execute<{ isHidden: boolean }>(
      sql`select public.set_leaderboard_hidden(${isHidden}) as "isHidden"`,
    ),
  );
}

/** The user's entries in the ledger of points, newest first. */
export async function listPoints(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof pointsInput>,
): Promise<z.infer<typeof pointsOutput>> {
  const rows = await tx.execute<PointEntry>(sql`
    select
      entry.id::integer as "id",
      entry.reason,
      round(entry.tenths / 10.0, 1)::float8 as "points",
      entry.course_id as "courseId",
      course.title as "courseTitle",
      coalesce(lesson.title, achievement.title) as "title",
      ${isoTime(sql`entry.created_at`)} as "createdAt"
    from public.point_entries as entry
    left join public.courses as course on course.id = entry.course_id
    left join public.lessons as lesson
      on entry.reason in ('time', 'quiz') and lesson.id::text = entry.subject
    left join public.achievements as achievement
      on entry.reason = 'achievement' and achievement.key = entry.subject
    where entry.user_id = ${userId}::uuid
      and ${cursor === undefined ? sql`true` : sql`entry.id < ${cursor}::bigint`}
    order by entry.id desc
    limit ${rowCount(limit + 1)}`);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** The first rows of the guide's view. */
export async function listLeaders(
  tx: UserTransaction,
  limit: number,
): Promise<z.infer<typeof leadersOutput>> {
  const rows = await tx.execute<z.infer<typeof leadersOutput>['leaders'][number]>(sql`
    select
      user_id, first_name, last_name, avatar, courses_completed, certificates_earned,
      total_time_spent, average_score::float8, total_points::float8, rank::integer
    from public.leaderboard
    limit ${rowCount(limit)}`);
  return { leaders: [...rows] };
}
