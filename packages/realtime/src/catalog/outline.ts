import type { ContentLesson, CourseContent, CourseProgress } from '@homeroom/api/contract';

/** A course as its page shows it: modules with their lessons in order, and what is done of them. */
export type OutlineOf = {
  modules: {
    id: string;
    title: string;
    summary: string;
    isCompleted: boolean;
    lessons: (ContentLesson & { isCompleted: boolean; bestScore: number | null })[];
  }[];
  /** Where to go on: the first lesson that counts and isn't done, else the first that isn't done. */
  next: ContentLesson | undefined;
};

/** Puts content and progress together. Pure; either may be missing while it loads. */
export function outlineOf(
  content: CourseContent | undefined,
  progress: Pick<CourseProgress, 'lessons' | 'completedModuleIds'> | undefined,
): OutlineOf {
  const byId = new Map(content?.lessons.map((lesson) => [lesson.id, lesson]));
  const states = new Map(progress?.lessons.map((state) => [state.lessonId, state]));
  const modules = (content?.modules ?? []).map(({ lessonIds, ...module }) => ({
    ...module,
    isCompleted: progress?.completedModuleIds.includes(module.id) ?? false,
    lessons: lessonIds.flatMap((id) => {
      const lesson = byId.get(id);
      const state = states.get(id);
      const isCompleted = (state?.completedAt ?? null) !== null;
      return lesson ? [{ ...lesson, isCompleted, bestScore: state?.bestScore ?? null }] : [];
    }),
  }));
  const open = modules.flatMap(({ lessons }) => lessons).filter((one) => !one.isCompleted);
  return { modules, next: open.find(({ isRequired }) => isRequired) ?? open[0] };
}
