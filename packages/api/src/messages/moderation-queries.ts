import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { isAfter, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  MessageReport,
  reportsInput,
  reportsOutput,
  resolveInput,
} from './moderation-contract.ts';

/** Reports of direct messages, newest first: all for administrators, their own for others. */
export async function listReports(
  tx: UserTransaction,
  userId: string,
  { status, cursor, limit }: z.output<typeof reportsInput>,
): Promise<Live<z.infer<typeof reportsOutput>['data']>> {
  const topic = userTopic(userId);
  const { items, seq } = onlyRow(
    await tx.execute<{ items: MessageReport[]; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            private.message_report_json(report) order by report.created_at desc, report.id desc
          )
          from (
            select *
            from public.message_reports as report
            where ${status ? sql`report.status = ${status}` : sql`true`}
              and ${isAfter(cursor, sql`report.created_at`, sql`report.id`)}
            order by report.created_at desc, report.id desc
            limit ${rowCount(limit + 1)}
          ) as report
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: toPage(items, limit, (report) => report), cursor: { topic, seq } };
}

/** Decides about all open reports of a direct message. */
export async function resolveReports(
  tx: UserTransaction,
  { messageId, status }: z.output<typeof resolveInput>,
): Promise<{ resolvedCount: number }> {
  return onlyRow(
    await tx.execute<{ resolvedCount: number }>(sql`
      select private.resolve_message_reports(${messageId}::uuid, ${status}) as "resolvedCount"`),
  );
}
