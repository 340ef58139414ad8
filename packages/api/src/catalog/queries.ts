import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  Course,
  CourseContent,
  CourseInput,
  CourseSummary,
  Lesson,
  listInput,
  listOutput,
  TaughtCourse,
  TaughtCourses,
  teachingInput,
} from './contract.ts';

/** Who teaches `course`, by name. */
export const instructorsOfCourse = sql`coalesce((
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
), '[]')`;

/** The columns of a card. */
function summaryColumns(userId: string): SQL {
  return sql`
    course.id,
    course.slug,
    course.title,
    course.summary,
    course.cover_url as "coverUrl",
    course.level,
    course.category,
    course.price_cents as "priceCents",
    course.currency,
    lessons.count as "lessonCount",
    lessons.minutes as "durationMinutes",
    ${instructorsOfCourse} as "instructors",
    exists (
      select from public.enrollments as enrollment
      where enrollment.course_id = course.id
        and enrollment.user_id = ${userId}::uuid
        and enrollment.status <> 'cancelled'
    ) as "isEnrolled",
    ${isoTime(sql`course.created_at`)} as "createdAt"`;
}

/** How many lessons `course` has, and how long they take together. */
const lessonsOfCourse = sql`
  cross join lateral (
    select
      count(*)::integer as count,
      coalesce(sum(lesson.duration_minutes), 0)::integer as minutes
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id
    where module.course_id = course.id and module.is_published and lesson.is_published
  ) as lessons`;

/** The courses that are published, newest first. */
export async function listCourses(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof listInput>,
): Promise<z.infer<typeof listOutput>> {
  const rows = await tx.execute<CourseSummary>(sql`
    select ${summaryColumns(userId)}
    from public.courses as course
    ${lessonsOfCourse}
    where course.status = 'published' and ${isAfter(cursor, sql`course.created_at`, sql`course.id`)}
    order by course.created_at desc, course.id desc
    limit ${rowCount(limit + 1)}`);
  return toPage(rows, limit, (row) => row);
}

/** A course that the user may see, with its modules and lessons. */
export async function findCourse(
  tx: UserTransaction,
  userId: string,
  wanted: CourseInput,
): Promise<Course> {
  const isWanted =
    'courseId' in wanted
      ? sql`course.id = ${wanted.courseId}::uuid`
      : sql`course.slug = ${wanted.slug}`;
  const [course] = await tx.execute<Course>(sql`
    select
      ${summaryColumns(userId)},
      course.description,
      course.version,
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
    ${lessonsOfCourse}
    where ${isWanted}`);
  if (!course) throw new ApiError('COURSE_NOT_FOUND');
  return course;
}

/** What a course consists of. The database raises ENROLLMENT_REQUIRED. */
export async function courseContent(
  tx: UserTransaction,
  courseId: string,
): Promise<Live<CourseContent>> {
  const topic = `course:${courseId}`;
  const { data, seq } = onlyRow(
    await tx.execute<{ data: CourseContent; seq: number }>(sql`
      select public.course_content(${courseId}::uuid) as "data", ${liveHead(topic)} as "seq"`),
  );
  return { data, cursor: { topic, seq } };
}

/** What a lesson teaches. The database raises LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED. */
export async function findLesson(tx: UserTransaction, lessonId: string): Promise<Live<Lesson>> {
  const { data, seq } = onlyRow(
    await tx.execute<{ data: Lesson; seq: number }>(sql`
      with page as materialized (select public.lesson_page(${lessonId}::uuid) as data)
      select data as "data", ${liveHead(sql`'course:' || (data ->> 'courseId')`)} as "seq"
      from page`),
  );
  return { data, cursor: { topic: `course:${data.courseId}`, seq } };
}

/** The courses that the user teaches, newest first. */
export async function listTaughtCourses(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof teachingInput>,
): Promise<Live<TaughtCourses>> {
  const topic = userTopic(userId);
  const [rows, [head]] = await Promise.all([
    tx.execute<TaughtCourse>(sql`
    select
      course.id,
      course.slug,
      course.title,
      course.summary,
      course.cover_url as "coverUrl",
      course.status,
      students.count as "studentCount",
      students.completed as "completedCount",
      ${isoTime(sql`course.created_at`)} as "createdAt"
    from public.courses as course
    join public.course_instructors as teaching on teaching.course_id = course.id
    cross join lateral (
      select
        count(*)::integer as count,
        (count(*) filter (where enrollment.status = 'completed'))::integer as completed
      from public.enrollments as enrollment
      where enrollment.course_id = course.id and enrollment.status <> 'cancelled'
    ) as students
    where teaching.user_id = ${userId}::uuid
      and ${isAfter(cursor, sql`course.created_at`, sql`course.id`)}
    order by course.created_at desc, course.id desc
    limit ${rowCount(limit + 1)}`),
    tx.execute<{ seq: number }>(sql`select ${liveHead(topic)} as "seq"`),
  ]);
  if (!head) throw new Error('A select without from gave no row');
  return { data: toPage(rows, limit, (row) => row), cursor: { topic, seq: head.seq } };
}
