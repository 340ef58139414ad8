import { sql } from 'drizzle-orm';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { isoTime, onlyRow } from '../server/fragments.ts';
import type { DeclaredAchievement } from './contract.ts';

/** Everything that can be earned, the easiest first, with when the user has earned it. */
export async function listAchievements(
  tx: UserTransaction,
  userId: string,
): Promise<Live<{ items: DeclaredAchievement[] }>> {
  const topic = userTopic(userId);
  const { items, seq } = onlyRow(
    await tx.execute<{ items: DeclaredAchievement[]; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            jsonb_build_object(
              'key', declared.key,
              'title', declared.title,
              'description', declared.description,
              'icon', declared.icon,
              'points', declared.points,
              'earnedAt', ${isoTime(sql`earned.earned_at`)}
            )
            order by declared.points, declared.key
          )
          from public.achievements as declared
          left join public.user_achievements as earned
            on earned.achievement_key = declared.key and earned.user_id = ${userId}::uuid
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: { items }, cursor: { topic, seq } };
}
