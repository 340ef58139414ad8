import type { PageLoad } from './$types';

/** The editor of quizzes comes with lessons that are one, before the page is alive: nothing moves. */
export const load: PageLoad = async ({ data }) => ({
  ...data,
  QuizEditor:
    data.lesson.fields.kind === 'quiz'
      ? (await import('#lib/authoring/QuizEditor.svelte')).default
      : undefined,
});
