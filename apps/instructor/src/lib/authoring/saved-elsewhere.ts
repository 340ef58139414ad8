import type { DraftEvents, LessonWorkbench } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { liveQuery, type Connection, type LiveEvent } from '@homeroom/realtime';

/** The newest draft of a lesson: who saved it and when, not what it says. */
export type NewestDraft = { version: number; by: string | null; at: string };

/** The newest draft of a lesson that is open, live, whoever saved it. */
export function newestDraft(connection: Connection, api: Api, lesson: LessonWorkbench) {
  const { lessonId } = lesson;
  const toSnapshot = ({
    version,
    updatedBy: by,
    updatedAt: at,
    courseId,
    seq,
  }: LessonWorkbench) => ({
    data: { version, by, at } satisfies NewestDraft,
    cursor: { topic: `course:${courseId}:staff`, seq },
  });
  const initial = toSnapshot(lesson);
  return liveQuery<NewestDraft>({
    connection,
    topic: initial.cursor.topic,
    load: async () => toSnapshot(await api.authoring.lesson.query({ lessonId })),
    apply: (draft, event) => applyDraft(draft, event, lessonId),
    initial,
  });
}

/**
 * The newest draft after an event. Pure. Only the database can send on that topic, so the data of a
 * name is taken to have its shape.
 */
export function applyDraft(
  draft: NewestDraft,
  { event, data, at }: Pick<LiveEvent, 'event' | 'data' | 'at'>,
  lessonId: string,
): NewestDraft {
  if (event !== 'lesson.drafted') return draft;
  const told = data as DraftEvents['lesson.drafted'];
  if (told.lessonId !== lessonId || told.version <= draft.version) return draft;
  return {
    version: told.version,
    by: told.by?.name ?? null,
    at: new Date(at).toISOString(),
  };
}
