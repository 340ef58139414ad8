import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
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

/** The courses that are published, newest first; for everybody. */
export async function listCourses(
  tx: UserTransaction,
  { cursor, limit }: z.output<typeof listInput>,
): Promise<z.infer<typeof listOutput>> {
  const rows = await tx.execute<{ course: CourseSummary }>(sql`
    select public.published_courses(
      ${cursor?.createdAt ?? null}::timestamptz, ${cursor?.id ?? null}::uuid, ${limit + 1}::integer
    ) as "course"`);
  const courses = rows.map(({ course }) => course);
  return toPage(courses, limit, (course) => course);
}

/** A course with its modules and lessons. The database raises COURSE_NOT_FOUND. */
export async function findCourse(tx: UserTransaction, wanted: CourseInput): Promise<Course> {
  const { id, slug } =
    'courseId' in wanted ? { id: wanted.courseId, slug: null } : { id: null, slug: wanted.slug };
  const rows = await tx.execute<{ course: Course }>(
    sql`select public.course_page(${id}::uuid, ${slug}::text) as "course"`,
  );
  return onlyRow(rows).course;
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
