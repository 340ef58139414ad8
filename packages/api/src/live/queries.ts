import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import type { epochOutput, Since, sinceInput, topicInput } from './contract.ts';

/** The events of a topic after a number. The database checks the right and raises TOPIC_FORBIDDEN. */
export async function eventsSince(
  tx: UserTransaction,
  { topic, seq, limit }: z.output<typeof sinceInput>,
): Promise<Since> {
  const [row] = await tx.execute<{ since: Since }>(
    sql`select public.live_since(${topic}, ${seq}::bigint, ${limit}::integer) as since`,
  );
  if (!row) throw new Error('live_since gave no row');
  return row.since;
}

/** The epoch of a topic's channel. The database checks the right and raises TOPIC_FORBIDDEN. */
export async function epochOf(
  tx: UserTransaction,
  { topic }: z.output<typeof topicInput>,
): Promise<z.input<typeof epochOutput>> {
  const [row] = await tx.execute<{ epoch: number }>(
    sql`select public.live_epoch(${topic})::float8 as epoch`,
  );
  if (!row) throw new Error('live_epoch gave no row');
  return row;
}

/** The number of the newest event of a topic, to be read in the same snapshot as the data. */
export function liveHead(topic: string | SQL): SQL<number> {
  return sql<number>`private.live_cursor(${topic})::float8`;
}

/** The topic on which a user's own notifications, progress and enrollments are told. */
export function userTopic(userId: string): string {
  return `user:${userId}`;
}
