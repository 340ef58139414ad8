import type { ContentEvents, ContentLesson, CourseContent } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isContentEvent = isOneOf<ContentEvents>({ 'content.published': true });

/** The last publication that came while one was looking: what to tell the reader. */
export type Publication = Pick<
  ContentEvents['content.published'],
  'version' | 'note' | 'changes' | 'publishedAt'
>;

/** A course's content, and what was last published in it. */
export type ContentWindow = {
  content: CourseContent;
  published: Publication | undefined;
  /** The publication was too large for its event. */
  isStale: boolean;
};

/** The window that an answer of `catalog.content` opens. */
export function toWindow(content: CourseContent): ContentWindow {
  return {
    content: { ...content, lessons: byId(content.lessons) },
    published: undefined,
    isStale: false,
  };
}

/** The content after an event. Lessons that stay as they were stay the same objects. */
export function apply(window: ContentWindow, event: LiveEvent): ContentWindow {
  if (!isContentEvent(event)) return window;
  const { version, title, note, changes, publishedAt, modules, lessons } = event.data;
  const published = { version, note, changes, publishedAt };
  if (!lessons) return { ...window, published, isStale: true };
  const outline = modules ?? window.content.modules;
  const shown = new Set(outline.flatMap(({ lessonIds }) => lessonIds));
  const changed = new Map(lessons.map((lesson) => [lesson.id, lesson]));
  const kept = window.content.lessons.filter(({ id }) => !changed.has(id));
  return {
    content: {
      ...window.content,
      version,
      title,
      modules: outline,
      lessons: byId([...kept, ...lessons].filter(({ id }) => shown.has(id))),
    },
    published,
    isStale: window.isStale,
  };
}

function byId(lessons: readonly ContentLesson[]): ContentLesson[] {
  return [...lessons].sort((a, b) => (a.id < b.id ? -1 : 1));
}
