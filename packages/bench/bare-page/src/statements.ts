import postgres, { type TransactionSql } from 'postgres';

/** The statements of the portal's course page, as the API sends them, and nothing around them. */
const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10, onnotice: () => undefined });

/** Runs one statement as a user, under the same policies, in one snapshot. */
function asUser<Row>(
  userId: string,
  ask: (tx: TransactionSql) => postgres.PendingQuery<postgres.Row[]>,
): Promise<Row> {
  const claims = JSON.stringify({ sub: userId, role: 'authenticated' });
  const run = sql.begin('isolation level repeatable read read only', async (tx) => {
    const [, rows] = await Promise.all([
      tx`
        select
          set_config('role', 'authenticated', true),
          set_config('request.jwt.claims', ${claims}, true),
          set_config('statement_timeout', '10000', true)`,
      ask(tx),
    ]);
    return rows[0];
  });
  return run as Promise<Row>;
}

/** A lesson in the outline. */
type Lesson = { id: string; title: string; durationMinutes: number };

/** What the bare page shows of a course; it is sent whole, as the portal sends it. */
export type Course = { id: string; title: string; description: string };

export const me = (userId: string) =>
  asUser<{ firstName: string }>(
    userId,
    (tx) => tx`
      select
        id, email, first_name as "firstName", last_name as "lastName", avatar_url as "avatarUrl",
        role, time_zone as "timeZone",
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"
      from public.users
      where id = ${userId}::uuid`,
  );

export const notifications = (userId: string) =>
  asUser<{ items: unknown[]; unreadCount: number }>(
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

export const course = (userId: string, slug: string) =>
  asUser<Course>(
    userId,
    (tx) => tx`
      select
        course.id, course.slug, course.title, course.summary, course.cover_url as "coverUrl",
        course.level, course.category, course.price_cents as "priceCents", course.currency,
        lessons.count as "lessonCount", lessons.minutes as "durationMinutes",
        coalesce((
          select jsonb_agg(
            jsonb_build_object(
              'id', teacher.id,
              'name', private.display_name(teacher.first_name, teacher.last_name),
              'avatarUrl', teacher.avatar_url
            )
            order by teacher.first_name, teacher.last_name, teacher.id
          )
          from public.course_instructors as teaching
          join public.profiles as teacher on teacher.id = teaching.user_id
          where teaching.course_id = course.id
        ), '[]') as "instructors",
        exists (
          select from public.enrollments as enrollment
          where enrollment.course_id = course.id
            and enrollment.user_id = ${userId}::uuid
            and enrollment.status <> 'cancelled'
        ) as "isEnrolled",
        to_char(course.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
        course.description, course.version,
        coalesce((
          select jsonb_agg(
            jsonb_build_object(
              'id', module.id,
              'title', module.title,
              'summary', module.summary,
              'lessons', coalesce((
                select jsonb_agg(
                  jsonb_build_object(
                    'id', lesson.id,
                    'title', lesson.title,
                    'kind', lesson.kind,
                    'durationMinutes', lesson.duration_minutes,
                    'isRequired', lesson.is_required,
                    'revision', lesson.revision
                  )
                  order by lesson.position, lesson.id
                )
                from public.lessons as lesson
                where lesson.module_id = module.id and lesson.is_published
              ), '[]')
            )
            order by module.position, module.id
          )
          from public.modules as module
          where module.course_id = course.id and module.is_published
        ), '[]') as "modules"
      from public.courses as course
      cross join lateral (
        select
          count(*)::integer as count,
          coalesce(sum(lesson.duration_minutes), 0)::integer as minutes
        from public.modules as module
        join public.lessons as lesson on lesson.module_id = module.id
        where module.course_id = course.id and module.is_published and lesson.is_published
      ) as lessons
      where course.slug = ${slug}`,
  );

export const content = (userId: string, courseId: string) =>
  asUser<{ data: { lessons: Lesson[] } }>(
    userId,
    (tx) => tx`
      select
        public.course_content(${courseId}::uuid) as "data",
        private.live_cursor(${`course:${courseId}`})::float8 as "seq"`,
  );

export const progress = (userId: string, courseId: string) =>
  asUser<{ data: { doneCount: number; requiredCount: number; lessons: { lessonId: string }[] } }>(
    userId,
    (tx) => tx`
      select
        public.course_progress(${courseId}::uuid) as "data",
        private.live_cursor(${`user:${userId}`})::float8 as "seq"`,
  );
