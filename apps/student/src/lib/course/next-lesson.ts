import type { OutlineOf } from '@homeroom/realtime/core';

/** The lesson after another one, in the course's order; undefined after the last. */
export function lessonAfter({ modules }: OutlineOf, lessonId: string) {
  const lessons = modules.flatMap((module) => module.lessons);
  const index = lessons.findIndex(({ id }) => id === lessonId);
  return index < 0 ? undefined : lessons[index + 1];
}
