import { failureOf, renderMarkdown, throwPageError } from '@homeroom/portal/server';
import { outlineOf } from '@homeroom/realtime/core';
import { error, redirect, type RequestEvent } from '@sveltejs/kit';
import { readAnswers } from '#lib/course/answers.ts';
import { lessonAfter } from '#lib/course/next-lesson.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, parent, depends }) => {
  depends('homeroom:lesson');
  const { course, taken } = await parent();
  if (taken === null) redirect(303, `/courses/${course.slug}`);
  const { data: lesson, cursor } = await locals.caller.catalog
    .lesson({ lessonId: params.lesson })
    .catch(throwPageError);
  if (lesson.courseId !== course.id) error(404, 'This lesson is in another course.');
  const { content, ...rest } = lesson;
  return {
    taken,
    lesson: rest,
    cursor,
    html: renderMarkdown(content),
    prompts: (lesson.quiz?.questions ?? []).map(({ id, prompt, explanation = '' }) => ({
      id,
      prompt: renderMarkdown(prompt),
      explanation: renderMarkdown(explanation),
    })),
  };
};

/** Seconds in the lesson that the page hasn't reported; a page without JavaScript counts none. */
function secondsOf(form: FormData): number {
  const seconds = Number(form.get('seconds') ?? 0);
  return Number.isInteger(seconds) && seconds >= 0 ? Math.min(seconds, 300) : 0;
}

/** Where one goes after a lesson: to the next, or to the course when there is none. */
async function addressAfter({ locals, params }: RequestEvent & { params: Params }) {
  const { catalog, progress } = locals.caller;
  const { id: courseId, slug } = await catalog.course({ slug: params.slug });
  const [content, own] = await Promise.all([
    catalog.content({ courseId }),
    progress.course({ courseId }),
  ]);
  const next = lessonAfter(outlineOf(content.data, own.data), params.lesson);
  return next && own.data.status !== 'completed'
    ? `/courses/${slug}/${next.id}`
    : `/courses/${slug}`;
}

type Params = { slug: string; lesson: string };

export const actions: Actions = {
  complete: async (event) => {
    const seconds = secondsOf(await event.request.formData());
    const { caller } = event.locals;
    try {
      await caller.progress.completeLesson({ lessonId: event.params.lesson, seconds });
    } catch (cause) {
      return failureOf(cause);
    }
    redirect(303, await addressAfter(event));
  },
  answer: async ({ locals, params, request }) => {
    const form = await request.formData();
    const lessonId = params.lesson;
    try {
      const submitted = await locals.caller.progress.submitQuiz({
        lessonId,
        revision: Number(form.get('revision')),
        answers: readAnswers(form),
        seconds: secondsOf(form),
      });
      return { submitted };
    } catch (cause) {
      return failureOf(cause);
    }
  },
};
