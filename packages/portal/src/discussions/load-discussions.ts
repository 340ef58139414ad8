import type { RequestEvent } from '@sveltejs/kit';
import { throwPageError } from '../errors/page-error.ts';

/** The discussions of a course, and how far one has read in each. */
export async function loadThreads({ locals }: RequestEvent, courseId: string) {
  const { discussions } = locals.caller;
  const [threads, readers] = await Promise.all([
    discussions.threads({ courseId, limit: 20 }),
    discussions.readers({ courseId }),
  ]).catch(throwPageError);
  return { threads, readers };
}

/** The newest messages of a discussion. */
export async function loadThread({ locals }: RequestEvent, threadId: string) {
  const part = await locals.caller.discussions
    .messages({ threadId, limit: 50 })
    .catch(throwPageError);
  return { part };
}
