import { sql } from 'drizzle-orm';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isoTime } from '../server/fragments.ts';
import type { Me, UpdateMe } from './contract.ts';

const profile = sql`
  id,
  email,
  first_name as "firstName",
  last_name as "lastName",
  avatar_url as "avatarUrl",
  role,
  time_zone as "timeZone",
  (
    select jsonb_build_object(
      'from', left(quiet_from::text, 5), 'to', left(quiet_to::text, 5), 'days', quiet_days
    )
    from public.notification_settings
    where user_id = users.id and has_quiet_hours
  ) as "quietHours",
  ${isoTime(sql`created_at`)} as "createdAt"`;

/** The user's own profile. */
export async function findMe(tx: UserTransaction, userId: string): Promise<Me> {
  const [me] = await tx.execute<Me>(sql`
    select ${profile}
    from public.users
    where id = ${userId}::uuid`);
  if (!me) throw new ApiError('USER_NOT_FOUND');
  return me;
}

/** Changes the fields that are named, and gives the whole profile. */
export async function updateMe(
  tx: UserTransaction,
  userId: string,
  { firstName, lastName, avatarUrl, timeZone }: UpdateMe,
): Promise<Me> {
  const changes = [];
  if (firstName !== undefined) changes.push(sql`first_name = ${firstName}`);
  if (lastName !== undefined) changes.push(sql`last_name = ${lastName}`);
  if (avatarUrl !== undefined) changes.push(sql`avatar_url = ${avatarUrl}`);
  if (timeZone !== undefined) changes.push(sql`time_zone = ${timeZone}`);
  const [me] = await tx.execute<Me>(sql`
    update public.users
    set ${sql.join(changes, sql`, `)}
    where id = ${userId}::uuid
    returning ${profile}`);
  if (!me) throw new ApiError('USER_NOT_FOUND');
  return me;
}
