import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  moderateInput,
  reportInput,
  reportsInput,
  reportsOutput,
  resolveInput,
  Thread,
  ThreadMessage,
  ThreadReport,
} from './contract.ts';
import { readMessage } from './messages-queries.ts';

/** Changes what may happen in a thread of a course that the user teaches. */
export async function moderateThread(
  tx: UserTransaction,
  { threadId, ...change }: z.output<typeof moderateInput>,
): Promise<{ thread: Thread }> {
  const columns: [column: SQL, value: SQL | undefined][] = [
    [sql`title`, change.title === undefined ? undefined : sql`${change.title}`],
    [sql`is_pinned`, change.isPinned === undefined ? undefined : sql`${change.isPinned}`],
    [sql`is_locked`, change.isLocked === undefined ? undefined : sql`${change.isLocked}`],
    [sql`is_active`, change.isClosed === undefined ? undefined : sql`${!change.isClosed}`],
    [
      sql`slow_mode_seconds`,
      change.slowModeSeconds === undefined ? undefined : sql`${change.slowModeSeconds}::integer`,
    ],
    [sql`answer_id`, change.answerId === undefined ? undefined : sql`${change.answerId}::uuid`],
  ];
  const changes = columns.flatMap(([column, value]) => (value ? [sql`${column} = ${value}`] : []));
  if (changes.length === 0) {
    throw new ApiError('INPUT_INVALID', { fields: [{ field: '', reason: 'Nothing to change' }] });
  }
  const [row] = await tx.execute<{ thread: Thread }>(sql`
    update public.discussion_threads as thread
    set ${sql.join(changes, sql`, `)}
    where thread.id = ${threadId}::uuid
    returning private.thread_json(thread) as "thread"`);
  if (row) return row;
  const [visible] = await tx.execute(sql`
    select from public.discussion_threads where id = ${threadId}::uuid`);
  throw new ApiError(visible ? 'FORBIDDEN' : 'THREAD_NOT_FOUND');
}

/** Says that a message is right, or takes that back. */
export async function endorseMessage(
  tx: UserTransaction,
  messageId: string,
  isEndorsed: boolean,
): Promise<{ message: ThreadMessage }> {
  await tx.execute(sql`select private.endorse_thread_message(${messageId}::uuid, ${isEndorsed})`);
  return readMessage(tx, messageId);
}

/** Reports a message to the staff of its course; the first report of a person stands. */
export async function reportMessage(
  tx: UserTransaction,
  { messageId, reason, note }: z.output<typeof reportInput>,
): Promise<{ reportId: string }> {
  return onlyRow(
    await tx.execute<{ reportId: string }>(sql`
      select private.report_thread_message(${messageId}::uuid, ${reason}, ${note}) as "reportId"`),
  );
}

/** A course's reports, newest first. */
export async function listReports(
  tx: UserTransaction,
  { courseId, status, cursor, limit }: z.output<typeof reportsInput>,
): Promise<Live<z.infer<typeof reportsOutput>['data']>> {
  const topic = `course:${courseId}:staff`;
  const row = onlyRow(
    await tx.execute<{ items: ThreadReport[]; isStaff: boolean; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            private.thread_report_json(report) order by report.created_at desc, report.id desc
          )
          from (
            select *
            from public.thread_message_reports as report
            where report.course_id = ${courseId}::uuid
              and ${status ? sql`report.status = ${status}` : sql`true`}
              and ${isAfter(cursor, sql`report.created_at`, sql`report.id`)}
            order by report.created_at desc, report.id desc
            limit ${rowCount(limit + 1)}
          ) as report
        ), '[]') as "items",
        ${courseId}::uuid in (select private.taught_course_ids()) as "isStaff",
        ${liveHead(topic)} as "seq"`),
  );
  if (!row.isStaff) throw new ApiError('COURSE_NOT_FOUND');
  return { data: toPage(row.items, limit, (report) => report), cursor: { topic, seq: row.seq } };
}

/** Decides about all open reports of a message. */
export async function resolveReports(
  tx: UserTransaction,
  { messageId, status }: z.output<typeof resolveInput>,
): Promise<{ resolvedCount: number }> {
  return onlyRow(
    await tx.execute<{ resolvedCount: number }>(sql`
      select private.resolve_thread_reports(${messageId}::uuid, ${status}) as "resolvedCount"`),
  );
}
