import type { CourseContent, CourseProgress, OutlineLesson } from '@homeroom/api/contract';

/** A lesson as a student's outline shows it. */
export type LessonRow = Omit<OutlineLesson, 'revision'> & {
  isDone: boolean;
  /** Where to go on: the first that counts and isn't done. */
  isNext: boolean;
  /** Of a quiz that was tried: 0–100. */
  bestScore: number | null;
};

/** A module as a student's outline shows it. */
export type ModuleRow = { id: string; title: string; lessons: LessonRow[] };

/** A course's outline with a student's state in it. */
export type Outline = {
  modules: ModuleRow[];
  /** All lessons, in their order. */
  lessons: LessonRow[];
  /** Where to go on; undefined when everything is done. */
  next: LessonRow | undefined;
};

/** Joins what a course consists of with how far a student is in it. */
export function courseOutline(content: CourseContent, progress: CourseProgress): Outline {
  const lessons = new Map(content.lessons.map((lesson) => [lesson.id, lesson]));
  const states = new Map(progress.lessons.map((state) => [state.lessonId, state]));
  const isDone = (id: string) => (states.get(id)?.completedAt ?? null) !== null;
  const ordered = content.modules.flatMap(({ lessonIds }) =>
    lessonIds.flatMap((id) => lessons.get(id) ?? []),
  );
  const nextId =
    ordered.find(({ id, isRequired }) => isRequired && !isDone(id))?.id ??
    ordered.find(({ id }) => !isDone(id))?.id;

  const rows = ordered.map(({ id, title, kind, durationMinutes, isRequired }) => ({
    id,
    title,
    kind,
    durationMinutes,
    isRequired,
    isDone: isDone(id),
    isNext: id === nextId,
    bestScore: states.get(id)?.bestScore ?? null,
  }));
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const modules = content.modules.map(({ id, title, lessonIds }) => ({
    id,
    title,
    lessons: lessonIds.flatMap((lessonId) => rowOf.get(lessonId) ?? []),
  }));
  return { modules, lessons: rows, next: rows.find(({ isNext }) => isNext) };
}

/** The lesson after another one, in the course's order; undefined after the last. */
export function lessonAfter({ lessons }: Outline, lessonId: string): LessonRow | undefined {
  const index = lessons.findIndex(({ id }) => id === lessonId);
  return index < 0 ? undefined : lessons[index + 1];
}
