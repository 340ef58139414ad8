import type { Attachment } from '../catalog/tables.ts';
import type { CourseText, LessonText } from './course-file.ts';
import { accounts } from './people.ts';
import { idOf } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, HOUR_MS, iso } from './time.ts';

/** A lesson that counts for nobody yet, or for everybody. */
export type SeededLesson = LessonText & { id: string };

/** A course of the demo school. */
export type SeededCourse = Omit<CourseText, 'modules'> & {
  id: string;
  teacherId: string;
  modules: { id: string; title: string; lessons: SeededLesson[] }[];
};

/** Gives the courses their ids. */
export function catalogOf(texts: CourseText[]): SeededCourse[] {
  return texts.map((text) => ({
    ...text,
    id: idOf('course', text.slug),
    teacherId: (text.teacher === 'tomas' ? accounts.tomas : accounts.marta).id,
    modules: text.modules.map((module, at) => ({
      id: idOf('module', text.slug, at),
      title: module.title,
      lessons: module.lessons.map((lesson, place) => ({
        ...lesson,
        id: idOf('lesson', text.slug, at, place),
      })),
    })),
  }));
}

/** What lies beside a lesson, by its title. */
const ATTACHMENTS: Record<string, Attachment[]> = {
  'A drawing without looking': [
    {
      title: 'What is said in the video',
      url: '/demo/blind-contour.vtt',
      mediaType: 'text/plain',
      sizeBytes: 364,
    },
  ],
  'Transactions: all of it or none of it': [
    {
      title: 'PostgreSQL: the whole manual',
      url: 'https://www.postgresql.org/files/documentation/pdf/17/postgresql-17-A4.pdf',
      mediaType: 'application/pdf',
      sizeBytes: 14_800_000,
    },
  ],
};

/** A lesson's video with its captions, by the lesson's title. Files of the student portal itself. */
const VIDEOS: Record<string, { videoUrl: string; captionsUrl: string }> = {
  'A drawing without looking': {
    videoUrl: '/demo/blind-contour.webm',
    captionsUrl: '/demo/blind-contour.vtt',
  },
};

/** Writes the courses, the oldest first, each published some days after the one before. */
export function addCatalog(rows: Rows, catalog: SeededCourse[], texts: CourseText[], now: number) {
  catalog.forEach((course, index) => {
    const createdAt = iso(now - (150 - index * 11) * DAY_MS);
    rows.courses.push({
      id: course.id,
      slug: course.slug,
      title: course.title,
      summary: course.summary,
      description: course.description,
      category: course.category,
      level: course.level,
      status: course.isPublished ? 'published' : 'draft',
      priceCents: course.priceCents,
      version: course.isPublished ? 1 : 0,
      publishedAt: course.isPublished ? iso(now - (140 - index * 11) * DAY_MS) : null,
      createdBy: course.teacherId,
      createdAt,
      updatedAt: createdAt,
    });
    rows.courseInstructors.push({ courseId: course.id, userId: course.teacherId, createdAt });
    if (course.isPublished) {
      rows.courseVersions.push({
        courseId: course.id,
        version: 1,
        note: 'The first edition.',
        changes: [{ kind: 'course_published' }],
        publishedBy: course.teacherId,
        publishedAt: iso(now - (140 - index * 11) * DAY_MS),
      });
    }
    course.modules.forEach((module, position) => {
      rows.modules.push({
        id: module.id,
        courseId: course.id,
        title: module.title,
        summary: texts[index]?.modules[position]?.summary ?? '',
        position: position + 1,
        createdAt,
        updatedAt: createdAt,
      });
      module.lessons.forEach((lesson, place) => {
        const video = VIDEOS[lesson.title];
        rows.lessons.push({
          id: lesson.id,
          moduleId: module.id,
          title: lesson.title,
          content: lesson.content,
          kind: video ? 'video' : lesson.kind,
          ...video,
          quiz: lesson.quiz ?? null,
          attachments: ATTACHMENTS[lesson.title] ?? [],
          position: place + 1,
          durationMinutes: lesson.minutes,
          isPublished: lesson.isPublished,
          isRequired: lesson.isRequired,
          createdAt,
          updatedAt: createdAt,
        });
      });
    });
  });
  // A colleague teaches along, so that one course has a staff of two.
  const shared = catalog.find((course) => course.slug === 'writing-clearly');
  if (shared) rows.courseInstructors.push({ courseId: shared.id, userId: accounts.tomas.id });
  addDraft(rows, catalog, now);
}

/** A lesson that its author is still at: a sentence more, not published yet. */
function addDraft(rows: Rows, catalog: SeededCourse[], now: number) {
  const course = catalog.find(({ slug }) => slug === 'practical-sql');
  const lesson = course?.modules[3]?.lessons[1];
  if (!course || !lesson) return;
  rows.lessonDrafts.push({
    lessonId: lesson.id,
    courseId: course.id,
    edit: {
      title: lesson.title,
      kind: lesson.kind,
      content: `${lesson.content}\n\nTry \`explain analyze\` on your own slowest query before you go on.`,
      videoUrl: null,
      captionsUrl: null,
      attachments: [],
      quiz: null,
      durationMinutes: lesson.minutes,
      isPublished: true,
      isRequired: lesson.isRequired,
    },
    version: 2,
    updatedBy: course.teacherId,
    updatedAt: iso(now - 3 * HOUR_MS),
  });
}
