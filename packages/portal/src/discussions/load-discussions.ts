import type { ThreadPlace } from '@homeroom/realtime';
import type { RequestEvent } from '@sveltejs/kit';
import { z } from 'zod';
import { throwPageError } from '../errors/page-error.ts';
import { renderTexts } from '../markdown/render-texts.ts';
import { messageAsked } from './message-asked.ts';
import { messageMarkdown } from './message-markdown.ts';

/** How many messages a discussion begins with; the store asks for as many. */
const LIMIT = 50;

/** The discussions of a course, or of its lesson `?lesson=`, how far one has read in each, and what a search has found. */
export async function loadThreads({ locals, url }: RequestEvent, courseId: string) {
  const { discussions } = locals.caller;
  const words = (url.searchParams.get('words') ?? '').trim().slice(0, 200);
  const lesson = z.guid().safeParse(url.searchParams.get('lesson'));
  const lessonId = lesson.success ? lesson.data : undefined;
  const [threads, readers, found] = await Promise.all([
    discussions.threads({ courseId, lessonId, limit: 20 }),
    discussions.readers({ courseId }),
    words === '' ? null : discussions.search({ courseId, words, limit: 50 }),
  ]).catch(throwPageError);
  return { threads, readers, lessonId, search: { words, found: found?.items ?? null } };
}

/** The part of a discussion where one wants to be: at a message, at what is new, at the end. */
export async function loadThread({ locals, url }: RequestEvent, threadId: string) {
  const { discussions, messages } = locals.caller;
  const asked = messageAsked(url);
  const read = (around: number | undefined) =>
    discussions.messages({ threadId, limit: LIMIT, around });
  const [newest, { showsTyping }] = await Promise.all([read(asked), messages.settings.get()]).catch(
    throwPageError,
  );
  const { reader, items } = newest.data;
  const firstNew = (reader?.readNumber ?? 0) + 1;
  const isNewAbove = asked === undefined && reader !== null && firstNew < (items[0]?.number ?? 1);
  const around = isNewAbove ? firstNew : asked;
  const place: ThreadPlace = around === undefined ? 'end' : { around };
  const part = isNewAbove ? await read(around).catch(throwPageError) : newest;
  return { part, texts: renderTexts(part.data.items.map(messageMarkdown)), place, showsTyping };
}
