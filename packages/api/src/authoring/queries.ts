import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isoTime, onlyRow, rowCount } from '../server/fragments.ts';
import type {
  createCourseInput,
  createLessonInput,
  createLessonOutput,
  CourseVersion,
  LessonAtVersion,
  LessonVersion,
  lessonVersionInput,
  lessonVersionsInput,
  lessonVersionsOutput,
  LessonWorkbench,
  publishInput,
  publishOutput,
  saveCourseInput,
  saveLessonInput,
  saveOutlineInput,
  setArchivedInput,
  setArchivedOutput,
  versionsInput,
  versionsOutput,
  Workbench,
} from './contract.ts';

type Saved = { version: number };

/** JSON as a parameter of a function. */
const json = (value: unknown): SQL => sql`${JSON.stringify(value)}::text::jsonb`;

/** Begins a course, taught by the user. */
export async function createCourse(
  tx: UserTransaction,
  { title, slug }: z.output<typeof createCourseInput>,
): Promise<{ courseId: string }> {
  return onlyRow(
    await tx.execute<{ courseId: string }>(
      sql`select public.create_course(${title}, ${slug}) as "courseId"`,
    ),
  );
}

/** A course as its authors see it. The database raises COURSE_NOT_FOUND. */
export async function courseWorkbench(tx: UserTransaction, courseId: string): Promise<Workbench> {
  const { workbench } = onlyRow(
    await tx.execute<{ workbench: Workbench | null }>(
      sql`select public.course_workbench(${courseId}::uuid) as "workbench"`,
    ),
  );
  if (!workbench) throw new ApiError('COURSE_NOT_FOUND');
  return workbench;
}

/** A lesson as its authors see it. The database raises LESSON_NOT_FOUND. */
export async function lessonWorkbench(
  tx: UserTransaction,
  lessonId: string,
): Promise<LessonWorkbench> {
  const rows = await tx.execute<{ workbench: LessonWorkbench }>(
    sql`select public.lesson_workbench(${lessonId}::uuid) as "workbench"`,
  );
  return onlyRow(rows).workbench;
}

/** Keeps changed texts of a course. The database raises DRAFT_CONFLICT. */
export async function saveCourse(
  tx: UserTransaction,
  { courseId, version, details }: z.output<typeof saveCourseInput>,
): Promise<Saved> {
  return onlyRow(
    await tx.execute<Saved>(sql`
      select public.save_course_draft(${courseId}::uuid, ${version}::integer, ${json(details)})
        as "version"`),
  );
}

/** Keeps another arrangement of a course. The database raises DRAFT_CONFLICT, OUTLINE_INVALID. */
export async function saveOutline(
  tx: UserTransaction,
  { courseId, version, outline }: z.output<typeof saveOutlineInput>,
): Promise<Saved> {
  return onlyRow(
    await tx.execute<Saved>(sql`
      select public.save_outline(${courseId}::uuid, ${version}::integer, ${json(outline)})
        as "version"`),
  );
}

/** Makes a lesson at the end of a module. */
export async function createLesson(
  tx: UserTransaction,
  { moduleId, title, kind }: z.output<typeof createLessonInput>,
): Promise<z.infer<typeof createLessonOutput>> {
  const rows = await tx.execute<{ created: z.infer<typeof createLessonOutput> }>(sql`
    select public.create_lesson(${moduleId}::uuid, ${title}, ${kind}) as "created"`);
  return onlyRow(rows).created;
}

/** Keeps a changed lesson; null takes the changes back. The database raises DRAFT_CONFLICT. */
export async function saveLesson(
  tx: UserTransaction,
  {
    lessonId,
    version,
    fields,
  }: Omit<z.output<typeof saveLessonInput>, 'fields'> & {
    fields: z.output<typeof saveLessonInput>['fields'] | null;
  },
): Promise<Saved> {
  return onlyRow(
    await tx.execute<Saved>(sql`
      select public.save_lesson_draft(
        ${lessonId}::uuid, ${version}::integer, ${fields === null ? sql`null` : json(fields)}
      ) as "version"`),
  );
}

/** Publishes what was changed. */
export async function publish(
  tx: UserTransaction,
  { courseId, note }: z.output<typeof publishInput>,
): Promise<z.infer<typeof publishOutput>> {
  const rows = await tx.execute<{ published: z.infer<typeof publishOutput> }>(
    sql`select public.publish_course(${courseId}::uuid, ${note}) as "published"`,
  );
  return onlyRow(rows).published;
}

/** Takes a course out of the catalogue, or puts it back. */
export async function setArchived(
  tx: UserTransaction,
  { courseId, isArchived }: z.output<typeof setArchivedInput>,
): Promise<z.infer<typeof setArchivedOutput>> {
  return onlyRow(
    await tx.execute<z.infer<typeof setArchivedOutput>>(sql`
      select public.set_course_archived(${courseId}::uuid, ${isArchived}) as "status"`),
  );
}

/** The publications of a course that the user takes part in, newest first. */
export async function listVersions(
  tx: UserTransaction,
  { courseId, cursor, limit }: z.output<typeof versionsInput>,
): Promise<z.infer<typeof versionsOutput>> {
  const rows = await tx.execute<CourseVersion>(sql`
    select
      published.version,
      published.note,
      published.changes,
      ${isoTime(sql`published.published_at`)} as "publishedAt",
      (
        select private.display_name(author.first_name, author.last_name)
        from public.profiles as author
        where author.id = published.published_by
      ) as "publishedBy"
    from public.course_versions as published
    where published.course_id = ${courseId}::uuid
      and ${cursor === undefined ? sql`true` : sql`published.version < ${cursor}::integer`}
    order by published.version desc
    limit ${rowCount(limit + 1)}`);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.version ?? null) : null };
}

/** The versions of its course that changed a lesson, newest first; the user is of its staff. */
export async function listLessonVersions(
  tx: UserTransaction,
  { lessonId, cursor, limit }: z.output<typeof lessonVersionsInput>,
): Promise<z.infer<typeof lessonVersionsOutput>> {
  const rows = await tx.execute<LessonVersion>(sql`
    select
      kept.version,
      ${isoTime(sql`published.published_at`)} as "publishedAt",
      (
        select private.display_name(author.first_name, author.last_name)
        from public.profiles as author
        where author.id = published.published_by
      ) as "publishedBy"
    from public.lesson_versions as kept
    left join public.course_versions as published
      on published.course_id = kept.course_id and published.version = kept.version
    where kept.lesson_id = ${lessonId}::uuid
      and ${cursor === undefined ? sql`true` : sql`kept.version < ${cursor}::integer`}
    order by kept.version desc
    limit ${rowCount(limit + 1)}`);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.version ?? null) : null };
}

/** What a lesson taught in a version of its course, and before that; the user is of its staff. */
export async function lessonAtVersion(
  tx: UserTransaction,
  { lessonId, version }: z.output<typeof lessonVersionInput>,
): Promise<LessonAtVersion> {
  const [kept] = await tx.execute<LessonAtVersion>(sql`
    select kept.version, kept.fields, lag(kept.fields) over (order by kept.version) as "before"
    from public.lesson_versions as kept
    where kept.lesson_id = ${lessonId}::uuid and kept.version <= ${version}::integer
    order by kept.version desc
    limit 1`);
  if (!kept) throw new ApiError('VERSION_NOT_FOUND');
  return kept;
}
