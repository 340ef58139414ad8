import type {
  ContentChange,
  ContentLesson,
  CourseContent,
  CourseDetails,
  Workbench,
} from '@homeroom/api/contract';
import { dequal } from 'dequal/lite';

/** What students see of a course now. */
export type PublishedCourse = { content: CourseContent; details: CourseDetails };

/**
 * What a publication would change, as far as an outline tells it: the same list that it gives
 * afterwards, but that a lesson with a draft counts as changed whatever is in it. Pure.
 */
export function courseChanges(
  bench: Workbench,
  published: PublishedCourse | null,
): ContentChange[] {
  const before = published?.content.modules ?? [];
  const lessonsBefore = new Map(published?.content.lessons.map((lesson) => [lesson.id, lesson]));
  const lessonsAfter = shownLessons(bench);
  const changes: ContentChange[] = [];
  if (bench.status !== 'published') changes.push({ kind: 'course_published' });
  if (published && !dequal(published.details, bench.details))
    changes.push({ kind: 'course_edited' });
  for (const { id: moduleId, title, summary } of bench.outline) {
    const old = before.find(({ id }) => id === moduleId);
    if (!old) changes.push({ kind: 'module_added', moduleId, title });
    else if (old.title !== title || old.summary !== summary) {
      changes.push({ kind: 'module_edited', moduleId, title });
    }
  }
  for (const { id: moduleId, title } of before) {
    if (!bench.outline.some(({ id }) => id === moduleId)) {
      changes.push({ kind: 'module_removed', moduleId, title });
    }
  }
  for (const lesson of lessonsAfter.values()) {
    changes.push(...lessonChanges(lesson, lessonsBefore.get(lesson.id)));
  }
  for (const { id: lessonId, title } of lessonsBefore.values()) {
    if (!lessonsAfter.has(lessonId)) changes.push({ kind: 'lesson_removed', lessonId, title });
  }
  if (isReordered(before, bench.outline)) changes.push({ kind: 'reordered' });
  return changes;
}

type ShownLesson = Workbench['lessons'][number];

/** The lessons that students will see, by id, each with the module that it will be in. */
function shownLessons({ outline, lessons }: Workbench): Map<string, ShownLesson> {
  const byId = new Map(lessons.map((lesson) => [lesson.id, lesson]));
  const shown = new Map<string, ShownLesson>();
  for (const { id: moduleId, lessonIds } of outline) {
    for (const id of lessonIds) {
      const lesson = byId.get(id);
      if (lesson?.isPublished) shown.set(id, { ...lesson, moduleId });
    }
  }
  return shown;
}

function lessonChanges(lesson: ShownLesson, old: ContentLesson | undefined): ContentChange[] {
  const named = { lessonId: lesson.id, title: lesson.title };
  if (!old) return [{ kind: 'lesson_added', ...named }];
  const changes: ContentChange[] = [];
  if (lesson.hasDraft) changes.push({ kind: 'lesson_edited', ...named });
  if (lesson.isRequired !== old.isRequired) {
    changes.push({ kind: lesson.isRequired ? 'lesson_required' : 'lesson_optional', ...named });
  }
  if (lesson.moduleId !== old.moduleId) changes.push({ kind: 'lesson_moved', ...named });
  return changes;
}

type Module = { id: string; lessonIds: string[] };

/** Whether what both arrangements have, in the same module, is in another order. */
function isReordered(before: readonly Module[], after: readonly Module[]): boolean {
  return !dequal(commonOrder(before, after), commonOrder(after, before));
}

function commonOrder(outline: readonly Module[], other: readonly Module[]): string[] {
  return outline.flatMap(({ id, lessonIds }) => {
    const there = other.find((module) => module.id === id);
    return there ? [id, ...lessonIds.filter((lesson) => there.lessonIds.includes(lesson))] : [];
  });
}
