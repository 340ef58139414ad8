import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { onlyRow, rowCount } from '../server/fragments.ts';
import type {
  AttendanceList,
  changeInput,
  codeOutput,
  exportOutput,
  listInput,
  OwnPlace,
  planInput,
  Registration,
  Workshop,
  WorkshopList,
  WorkshopView,
} from './contract.ts';

/** `workshop` as the user stands to it. */
function listed(userId: string): SQL {
  return sql`jsonb_build_object(
    'workshop', private.workshop_json_of(workshop.id),
    'counts', private.workshop_counts(workshop.id),
    'mine', (
      select private.registration_json(registration)
      from public.workshop_registrations as registration
      where registration.workshop_id = workshop.id and registration.user_id = ${userId}::uuid
    )
  )`;
}

/** Workshops that the user may see: the next ones, or the last ones. */
export async function listWorkshops(
  tx: UserTransaction,
  userId: string,
  { courseId, when, limit }: z.output<typeof listInput>,
): Promise<Live<WorkshopList>> {
  const topic = courseId ? `course:${courseId}` : userTopic(userId);
  const isUpcoming = when === 'upcoming';
  const order = isUpcoming ? sql`starts_at, id` : sql`starts_at desc, id desc`;
  const row = onlyRow(
    await tx.execute<{ items: WorkshopList['items']; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(${listed(userId)} order by ${order})
          from (
            select id, starts_at
            from public.workshops
            where ${courseId ? sql`course_id = ${courseId}::uuid` : sql`true`}
              and ${isUpcoming ? sql`ends_at > now()` : sql`ends_at <= now()`}
            order by ${order}
            limit ${rowCount(limit)}
          ) as workshop
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: { items: row.items }, cursor: { topic, seq: row.seq } };
}

/** Up to which change of any workshop lists are told. */
export async function readChanges(tx: UserTransaction): Promise<Live<Record<string, never>>> {
  const topic = 'school:workshops';
  const { seq } = onlyRow(
    await tx.execute<{ seq: number }>(sql`select ${liveHead(topic)} as "seq"`),
  );
  return { data: {}, cursor: { topic, seq } };
}

/** One workshop. */
export async function viewWorkshop(
  tx: UserTransaction,
  userId: string,
  workshopId: string,
): Promise<Live<WorkshopView>> {
  const topic = `workshop:${workshopId}`;
  type Rest = Omit<WorkshopView, 'workshop' | 'counts' | 'mine'>;
  const [row] = await tx.execute<{ listed: WorkshopList['items'][number]; seq: number } & Rest>(sql`
    select
      ${listed(userId)} as "listed",
      private.meeting_url(workshop.id) as "meetingUrl",
      workshop.course_id in (select private.taught_course_ids()) as "isStaff",
      private.seconds_present(workshop.id, ${userId}::uuid) as "secondsPresent",
      ${liveHead(topic)} as "seq"
    from public.workshops as workshop
    where workshop.id = ${workshopId}::uuid`);
  if (!row) throw new ApiError('WORKSHOP_NOT_FOUND');
  const { listed: view, seq, meetingUrl, isStaff, secondsPresent } = row;
  return {
    data: { ...view, meetingUrl, isStaff, secondsPresent },
    cursor: { topic, seq },
  };
}

/** How the user stands to a workshop. */
export async function readOwnPlace(
  tx: UserTransaction,
  userId: string,
  workshopId: string,
): Promise<Live<OwnPlace>> {
  const topic = userTopic(userId);
  const { seq, ...data } = onlyRow(
    await tx.execute<OwnPlace & { seq: number }>(sql`
      select
        (
          select private.registration_json(registration)
          from public.workshop_registrations as registration
          where registration.workshop_id = ${workshopId}::uuid
            and registration.user_id = ${userId}::uuid
        ) as "mine",
        private.meeting_url(${workshopId}::uuid) as "meetingUrl",
        private.seconds_present(${workshopId}::uuid, ${userId}::uuid) as "secondsPresent",
        ${liveHead(topic)} as "seq"`),
  );
  return { data, cursor: { topic, seq } };
}

/** The columns that a plan or a change sets. */
function columnsOf(plan: Omit<z.output<typeof changeInput>, 'workshopId'>): [SQL, SQL][] {
  const columns: [SQL, SQL | undefined][] = [
    [sql`title`, given(plan.title)],
    [sql`description`, given(plan.description)],
    [sql`location`, given(plan.location)],
    [sql`meeting_url`, given(plan.meetingUrl)],
    [sql`starts_at`, given(plan.startsAt, sql`::timestamptz`)],
    [sql`ends_at`, given(plan.endsAt, sql`::timestamptz`)],
    [sql`time_zone`, given(plan.timeZone)],
    [sql`capacity`, given(plan.capacity, sql`::integer`)],
    [sql`is_open`, given(plan.isOpen)],
    [sql`check_in_opens_minutes`, given(plan.checkInOpensMinutes, sql`::integer`)],
    [sql`late_after_minutes`, given(plan.lateAfterMinutes, sql`::integer`)],
  ];
  return columns.flatMap(([column, value]) => (value ? [[column, value]] : []));
}

function given(value: string | number | boolean | null | undefined, cast = sql``) {
  return value === undefined ? undefined : sql`${value}${cast}`;
}

/** Plans a workshop of a course that the user teaches. */
export async function planWorkshop(
  tx: UserTransaction,
  userId: string,
  { courseId, ...plan }: z.output<typeof planInput>,
): Promise<{ workshop: Workshop }> {
  const columns = columnsOf(plan);
  const names = sql.join(
    columns.map(([name]) => name),
    sql`, `,
  );
  const values = sql.join(
    columns.map(([, value]) => value),
    sql`, `,
  );
  const { id } = onlyRow(
    await tx.execute<{ id: string }>(sql`
      insert into public.workshops (course_id, created_by, ${names})
      values (${courseId}::uuid, ${userId}::uuid, ${values})
      returning id`),
  );
  return readWorkshop(tx, id);
}

/** Changes a workshop of a course that the user teaches. */
export async function changeWorkshop(
  tx: UserTransaction,
  { workshopId, ...change }: z.output<typeof changeInput>,
  status?: 'cancelled',
): Promise<{ workshop: Workshop }> {
  const changes = columnsOf(change).map(([name, value]) => sql`${name} = ${value}`);
  if (status) changes.push(sql`status = ${status}`);
  if (changes.length === 0) {
    throw new ApiError('INPUT_INVALID', { fields: [{ field: '', reason: 'Nothing to change' }] });
  }
  const [row] = await tx.execute<{ id: string }>(sql`
    update public.workshops as workshop
    set ${sql.join(changes, sql`, `)}
    where workshop.id = ${workshopId}::uuid
    returning id`);
  if (!row) throw new ApiError('WORKSHOP_NOT_FOUND');
  return readWorkshop(tx, workshopId);
}

/** What a statement before has written: its `returning` could not read the row as it is then. */
async function readWorkshop(
  tx: UserTransaction,
  workshopId: string,
): Promise<{ workshop: Workshop }> {
  return onlyRow(
    await tx.execute<{ workshop: Workshop }>(
      sql`select private.workshop_json_of(${workshopId}::uuid) as "workshop"`,
    ),
  );
}

/** What a function of the database gives that changes a registration. */
async function registrationBy(
  tx: UserTransaction,
  call: SQL,
): Promise<{ registration: Registration }> {
  return onlyRow(
    await tx.execute<{ registration: Registration }>(sql`select ${call} as "registration"`),
  );
}

/** Registers the user: with a place, or on the waiting list. */
export function register(tx: UserTransaction, workshopId: string) {
  return registrationBy(tx, sql`private.register_for_workshop(${workshopId}::uuid)`);
}

/** Gives the user's place back. */
export function unregister(tx: UserTransaction, workshopId: string) {
  return registrationBy(tx, sql`private.cancel_registration(${workshopId}::uuid)`);
}

/** Checks someone in by hand. */
export function checkIn(tx: UserTransaction, workshopId: string, userId: string) {
  const call = sql`private.check_in_by_hand(${workshopId}::uuid, ${userId}::uuid)`;
  return registrationBy(tx, call);
}

/** Takes a check-in back. */
export function undoCheckIn(
  tx: UserTransaction,
  workshopId: string,
  userId: string,
  reason: string,
) {
  const call = sql`private.undo_check_in(${workshopId}::uuid, ${userId}::uuid, ${reason})`;
  return registrationBy(tx, call);
}

/** What came of a code: a refusal isn't raised, which would undo the count of wrong ones. */
export type CodeAnswer =
  | { registration: Registration; refusal?: undefined }
  | {
      refusal: 'REGISTRATION_NOT_FOUND' | 'CHECK_IN_CLOSED' | 'CODE_WRONG' | 'TOO_MANY_REQUESTS';
      retryAfterSeconds?: number;
    };

/** Checks the user in with a code that they saw at a moment. */
export async function checkInByCode(
  tx: UserTransaction,
  workshopId: string,
  code: string,
  seenAt: string,
): Promise<CodeAnswer> {
  const { answer } = onlyRow(
    await tx.execute<{ answer: CodeAnswer }>(sql`
      select private.check_in_by_code(
        ${workshopId}::uuid, ${code}, ${seenAt}::timestamptz
      ) as "answer"`),
  );
  return answer;
}

/** Everybody who is registered or waits, as the staff sees them. */
export async function listAttendance(
  tx: UserTransaction,
  workshopId: string,
): Promise<Live<AttendanceList>> {
  const topic = `workshop:${workshopId}:staff`;
  const [row] = await tx.execute<AttendanceList & { seq: number }>(sql`
    select
      private.workshop_json_of(workshop.id) as "workshop",
      private.workshop_counts(workshop.id) as "counts",
      coalesce((
        select jsonb_agg(
          private.registration_json(registration) || jsonb_build_object(
            'presence', coalesce((
              select presence.status
              from public.student_presence as presence
              where presence.workshop_id = workshop.id
                and presence.user_id = registration.user_id
            ), 'offline'),
            'secondsPresent', private.seconds_present(workshop.id, registration.user_id)
          )
          order by registration.registered_at, registration.user_id
        )
        from public.workshop_registrations as registration
        where registration.workshop_id = workshop.id and registration.status <> 'cancelled'
      ), '[]') as "participants",
      ${liveHead(topic)} as "seq"
    from public.workshops as workshop
    where workshop.id = ${workshopId}::uuid
      and workshop.course_id in (select private.taught_course_ids())`);
  if (!row) throw new ApiError('WORKSHOP_NOT_FOUND');
  const { seq, ...data } = row;
  return { data, cursor: { topic, seq } };
}

/** The code to show now. */
export async function currentCode(
  tx: UserTransaction,
  workshopId: string,
): Promise<z.infer<typeof codeOutput>> {
  const { shown } = onlyRow(
    await tx.execute<{ shown: z.infer<typeof codeOutput> }>(
      sql`select private.current_workshop_code(${workshopId}::uuid) as "shown"`,
    ),
  );
  return shown;
}

/** The log as a CSV file, which can be verified against it. */
export async function exportAttendance(
  tx: UserTransaction,
  workshopId: string,
): Promise<z.infer<typeof exportOutput>> {
  const { csv } = onlyRow(
    await tx.execute<{ csv: string }>(
      sql`select private.attendance_export(${workshopId}::uuid) as "csv"`,
    ),
  );
  return { fileName: `attendance-${workshopId.slice(0, 8)}.csv`, csv };
}
