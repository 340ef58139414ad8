import type { CourseText, LessonText } from './course-file.ts';
import { accounts } from './people.ts';
import { idOf } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, iso } from './time.ts';

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
      publishedAt: course.isPublished ? iso(now - (140 - index * 11) * DAY_MS) : null,
      createdBy: course.teacherId,
      createdAt,
      updatedAt: createdAt,
    });
    rows.courseInstructors.push({ courseId: course.id, userId: course.teacherId, createdAt });
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
        rows.lessons.push({
          id: lesson.id,
          moduleId: module.id,
          title: lesson.title,
          content: lesson.content,
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
}
