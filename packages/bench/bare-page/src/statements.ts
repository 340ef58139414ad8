import postgres, { type TransactionSql } from 'postgres';

/** The statements of the portal's course page, as the API sends them, and nothing around them. */
const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10, onnotice: () => undefined });

/** Runs statements as a user, under the same policies, in one snapshot. */
function asUser<Rows extends unknown[]>(
  userId: string,
  ask: (tx: TransactionSql) => { [At in keyof Rows]: postgres.PendingQuery<postgres.Row[]> },
): Promise<Rows> {
  const claims = JSON.stringify({ sub: userId, role: 'authenticated' });
  const run = sql.begin('isolation level repeatable read read only', async (tx) => {
    const [, ...answers] = await Promise.all([
      tx`
        select
          set_config('role', 'authenticated', true),
          set_config('request.jwt.claims', ${claims}, true),
          set_config('application_name', 'bare', true),
          set_config('statement_timeout', '10000', true)`,
      ...ask(tx),
    ]);
    return answers;
  });
  return run as Promise<unknown> as Promise<Rows>;
}

/** The row of one statement, run as a user. */
async function oneAsUser<Row>(
  userId: string,
  ask: (tx: TransactionSql) => postgres.PendingQuery<postgres.Row[]>,
): Promise<Row> {
  const [rows] = await asUser<[Row[]]>(userId, (tx) => [ask(tx)]);
  return rows[0] as Row;
}

/** A lesson in the outline. */
type Lesson = { id: string; title: string; durationMinutes: number };

/** What the bare page shows of a course; it is sent whole, as the portal sends it. */
export type Course = { id: string; title: string; description: string };

export const me = (userId: string) =>
  oneAsUser<{ firstName: string }>(
    userId,
    (tx) => tx`
      select
        id, email, first_name as "firstName", last_name as "lastName", avatar_url as "avatarUrl",
        role, time_zone as "timeZone",
        (
          select jsonb_build_object('from', left(quiet_from::text, 5), 'to', left(quiet_to::text, 5))
          from public.notification_settings
          where user_id = users.id and has_quiet_hours
        ) as "quietHours",
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"
      from public.users
      where id = ${userId}::uuid`,
  );

export const notifications = (userId: string) =>
  oneAsUser<{ items: unknown[]; unreadCount: number }>(
    userId,
    (tx) => tx`
      select
        coalesce((
          select jsonb_agg(
            private.notification_json(notification)
            order by notification.listed_at desc, notification.id desc
          )
          from (
            select *
            from public.notifications as notification
            where notification.user_id = ${userId}::uuid and notification.box = 'inbox'
            order by notification.listed_at desc, notification.id desc
            limit 9
          ) as notification
        ), '[]') as "items",
        (
          select count(*)::integer
          from public.notifications
          where user_id = ${userId}::uuid and box = 'inbox' and read_at is null
        ) as "unreadCount",
        private.live_cursor(${`user:${userId}`})::float8 as "seq"`,
  );

export const conversations = (userId: string) =>
  oneAsUser<{ items: unknown[]; unreadCount: number }>(
    userId,
    (tx) => tx`
      select
        coalesce((
          select jsonb_agg(
            private.conversation_json(conversation, ${userId}::uuid)
            order by conversation.last_message_at desc, conversation.id desc
          )
          from (
            select *
            from public.conversations as conversation
            where conversation.low_id = ${userId}::uuid or conversation.high_id = ${userId}::uuid
            order by conversation.last_message_at desc, conversation.id desc
            limit 21
          ) as conversation
        ), '[]') as "items",
        (
          select coalesce(sum(conversation.last_number - coalesce(reader.read_number, 0)), 0)::integer
          from public.conversations as conversation
          left join public.conversation_readers as reader
            on reader.conversation_id = conversation.id and reader.user_id = ${userId}::uuid
          where conversation.low_id = ${userId}::uuid or conversation.high_id = ${userId}::uuid
        ) as "unreadCount",
        private.live_cursor(${`user:${userId}`})::float8 as "seq"`,
  );

export const course = async (userId: string, slug: string) => {
  const { course } = await oneAsUser<{ course: Course }>(
    userId,
    (tx) => tx`select public.course_page(null::uuid, ${slug}::text) as "course"`,
  );
  return course;
};

export const content = (userId: string, courseId: string) =>
  oneAsUser<{ data: { lessons: Lesson[] } }>(
    userId,
    (tx) => tx`
      select
        public.course_content(${courseId}::uuid) as "data",
        private.live_cursor(${`course:${courseId}`})::float8 as "seq"`,
  );

export const progress = (userId: string, courseId: string) =>
  oneAsUser<{
    data: { doneCount: number; requiredCount: number; lessons: { lessonId: string }[] };
  }>(
    userId,
    (tx) => tx`
      select
        public.course_progress(${courseId}::uuid) as "data",
        private.live_cursor(${`user:${userId}`})::float8 as "seq"`,
  );

/** A review, as the portal shows it. */
const review = (tx: TransactionSql) => tx`
  review.id,
  private.person_json(review.user_id) as "author",
  review.rating,
  review.comment,
  to_char(review.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
  review.reply,
  to_char(review.replied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "repliedAt"`;

export const reviews = async (userId: string, courseId: string) => {
  type Review = { id: string; rating: number; comment: string };
  const [items, own, totals] = await asUser<[Review[], Review[], { count: number }[]]>(
    userId,
    (tx) => [
      tx`
        select ${review(tx)}
        from public.course_reviews as review
        where review.course_id = ${courseId}::uuid
        order by review.created_at desc, review.id desc
        limit 21`,
      tx`
        select ${review(tx)}
        from public.course_reviews as review
        where review.course_id = ${courseId}::uuid and review.user_id = ${userId}::uuid`,
      tx`
        select
          count(*)::integer as "count",
          round(avg(rating), 2)::float8 as "average",
          exists (
            select from public.enrollments as enrollment
            where enrollment.user_id = ${userId}::uuid
              and enrollment.course_id = ${courseId}::uuid
              and enrollment.status <> 'cancelled'
          ) as "canReview",
          private.live_cursor(${`course:${courseId}`})::float8 as "seq"
        from public.course_reviews
        where course_id = ${courseId}::uuid`,
    ],
  );
  return { items, own: own[0] ?? null, count: totals[0]?.count ?? 0 };
};
