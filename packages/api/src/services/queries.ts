import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Completion, completeLessonInput } from '../progress/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  enrolledOutput,
  enrollInput,
  extendInput,
  notifyInput,
  ServiceUser,
  subscriptionOutput,
  usersInput,
  usersOutput,
} from './contract.ts';

/** The one value that a function of the database gives. */
async function valueOf<Value>(tx: UserTransaction, call: ReturnType<typeof sql>): Promise<Value> {
  return onlyRow(await tx.execute<{ value: Value }>(sql`select ${call} as "value"`)).value;
}

/** Enrolls a person. The database raises USER_NOT_FOUND and COURSE_NOT_FOUND. */
export function enrollFor(
  tx: UserTransaction,
  { userId, courseId }: z.output<typeof enrollInput>,
): Promise<z.output<typeof enrolledOutput>> {
  return valueOf(tx, sql`private.enroll_for(${userId}::uuid, ${courseId}::uuid)`);
}

/** Completes a lesson for a person, with all that follows from it. */
export function completeLessonFor(
  tx: UserTransaction,
  { userId, lessonId, seconds }: z.output<typeof completeLessonInput> & { userId: string },
): Promise<Completion> {
  return valueOf(
    tx,
    sql`private.complete_lesson_for(${userId}::uuid, ${lessonId}::uuid, ${seconds}::integer)`,
  );
}

/** Tells a person something; the same key of the same service tells it once. */
export function notifyPerson(
  tx: UserTransaction,
  serviceId: string,
  notice: z.output<typeof notifyInput>,
): Promise<string | null> {
  const { userId, type, level, title, message, data, courseId, expiresAt } = notice;
  const all = courseId === undefined ? data : { ...data, course_id: courseId };
  return valueOf(
    tx,
    sql`public.create_notification(
      user_id => ${userId}::uuid,
      type => ${type},
      title => ${title},
      message => ${message},
      data => ${JSON.stringify(all)}::text::jsonb,
      level => ${level},
      expires_at => ${expiresAt ?? null}::timestamptz,
      dedupe_key => ${`service ${serviceId} ${notice.idempotencyKey}`}
    )`,
  );
}

/** People, the newest first. */
export async function listUsers(
  tx: UserTransaction,
  { cursor, limit, email, ids }: z.output<typeof usersInput>,
): Promise<z.output<typeof usersOutput>> {
  const rows = await tx.execute<ServiceUser>(sql`
    select
      id,
      email,
      first_name as "firstName",
      last_name as "lastName",
      role,
      is_active as "isActive",
      time_zone as "timeZone",
      ${isoTime(sql`created_at`)} as "createdAt"
    from public.users
    where ${isAfter(cursor, sql`created_at`, sql`id`)}
      and ${email === undefined ? sql`true` : sql`email = ${email.toLowerCase()}`}
      and ${ids === undefined ? sql`true` : sql`id = any (${sql.param(ids)}::uuid[])`}
    order by created_at desc, id desc
    limit ${rowCount(limit + 1)}`);
  return toPage(rows, limit, ({ createdAt, id }) => ({ createdAt, id }));
}

/** Makes a subscription last until a moment. */
export function extendSubscription(
  tx: UserTransaction,
  serviceId: string,
  { userId, plan, until, reference }: z.output<typeof extendInput>,
): Promise<z.output<typeof subscriptionOutput>> {
  return valueOf(
    tx,
    sql`private.extend_subscription(
      ${userId}::uuid, ${plan}, ${until}::timestamptz, ${`service ${serviceId}`},
      ${reference ?? null}
    )`,
  );
}
