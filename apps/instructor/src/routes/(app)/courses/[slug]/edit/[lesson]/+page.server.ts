import { renderMarkdown, throwPageError } from '@homeroom/portal/server';
import { error } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, parent }) => {
  const lesson = await locals.caller.authoring
    .lesson({ lessonId: params.lesson })
    .catch(throwPageError);
  const { workbench } = await parent();
  if (lesson.courseId !== workbench.courseId) error(404, 'This lesson is in another course.');
  return { lesson, html: renderMarkdown(lesson.fields.content) };
};
