import { sql } from 'drizzle-orm';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { rowCount } from '../server/fragments.ts';
import {
  NOTIFICATION_CHANNELS,
  NOTIFICATION_TYPES,
  type NotificationPreference,
  type PreferenceChange,
} from './contract.ts';

type Preferences = { items: NotificationPreference[] };

/**
 * Every type on every channel, in the order of the lists, as the user chose or as it is without a
 * choice; then what they chose for single courses.
 */
export async function listPreferences(tx: UserTransaction, userId: string): Promise<Preferences> {
  const chosen = await tx.execute<NotificationPreference>(sql`
    select type, channel, course_id as "courseId", enabled
    from public.notification_preferences
    where user_id = ${userId}::uuid
    order by course_id, type, channel`);
  const defaults = await tx.execute<Omit<NotificationPreference, 'courseId'>>(sql`
    select type, channel, private.is_wanted_by_default(type, channel) as "enabled"
    from unnest(string_to_array(${NOTIFICATION_TYPES.join(',')}, ',')) as type,
      unnest(string_to_array(${NOTIFICATION_CHANNELS.join(',')}, ',')) as channel`);
  const general = new Map(
    chosen
      .filter(({ courseId }) => courseId === null)
      .map(({ type, channel, enabled }) => [`${type} ${channel}`, enabled]),
  );
  return {
    items: [
      ...defaults.map(({ type, channel, enabled }) => ({
        ...{ type, channel, courseId: null },
        enabled: general.get(`${type} ${channel}`) ?? enabled,
      })),
      ...chosen.filter(({ courseId }) => courseId !== null),
    ],
  };
}

/** Changes the choices named, and gives all. @throws ApiError INPUT_INVALID for a course not theirs */
export async function setPreferences(
  tx: UserTransaction,
  userId: string,
  items: PreferenceChange[],
): Promise<Preferences> {
  await requireJoined(tx, items);
  const chosen = items.filter(({ enabled }) => enabled !== null);
  const takenBack = items.filter(({ enabled }) => enabled === null);
  if (chosen.length > 0) {
    const rows = chosen.map(
      ({ type, channel, courseId, enabled }) =>
        sql`(${userId}::uuid, ${type}, ${channel}, ${courseId}::uuid, ${enabled}::boolean)`,
    );
    await tx.execute(sql`
      insert into public.notification_preferences (user_id, type, channel, course_id, enabled)
      values ${sql.join(rows, sql`, `)}
      on conflict (user_id, type, channel, course_id) do update set enabled = excluded.enabled`);
  }
  if (takenBack.length > 0) {
    const rows = takenBack.map(
      ({ type, channel, courseId }) => sql`(${type}, ${channel}, ${courseId}::uuid)`,
    );
    await tx.execute(sql`
      delete from public.notification_preferences as own
      using (values ${sql.join(rows, sql`, `)}) as named (type, channel, course_id)
      where own.user_id = ${userId}::uuid and own.type = named.type
        and own.channel = named.channel and own.course_id is not distinct from named.course_id`);
  }
  return listPreferences(tx, userId);
}

/** One may say something of courses that one takes part in; the policy holds without this too. */
async function requireJoined(tx: UserTransaction, items: PreferenceChange[]): Promise<void> {
  if (items.every(({ courseId }) => courseId === null)) return;
  const rows = await tx.execute<{ id: string }>(sql`
    select private.joined_course_ids() as "id"`);
  const joined = new Set(rows.map(({ id }) => id));
  const fields = items.flatMap(({ courseId, enabled }, at) =>
    courseId === null || enabled === null || joined.has(courseId)
      ? []
      : [{ field: `items.${at}.courseId`, reason: 'Not a course that you take part in' }],
  );
  if (fields.length > 0) throw new ApiError('INPUT_INVALID', { fields });
}

/** As many as a list to choose from holds; only an administrator takes part in more. */
const COURSES_MAX = 500;

/** The courses that the user takes part in, by title. */
export async function listPreferenceCourses(
  tx: UserTransaction,
): Promise<{ items: { id: string; title: string }[] }> {
  const items = await tx.execute<{ id: string; title: string }>(sql`
    select id, title
    from public.courses
    where id in (select private.joined_course_ids())
    order by title, id
    limit ${rowCount(COURSES_MAX)}`);
  return { items: [...items] };
}
