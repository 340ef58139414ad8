import type { ContentLesson, CourseContent } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { courseContent } from './store.ts';

const COURSE = 'course-1';
const TOPIC = `course:${COURSE}`;

/** A course that its authors publish again and again. */
function publishing(topics: ModelTopics) {
  let made = 0;
  const lesson = (moduleId: string): ContentLesson => ({
    id: `lesson-${String((made += 1)).padStart(4, '0')}`,
    moduleId,
    title: `Lesson ${made}`,
    kind: 'text',
    durationMinutes: 5,
    isRequired: true,
    revision: 1,
  });
  const content: CourseContent = {
    courseId: COURSE,
    version: 0,
    title: 'A course',
    modules: ['a', 'b'].map((id) => ({ id, title: id, summary: '', lessonIds: [] })),
    lessons: [],
  };

  function publish(before: CourseContent, isLarge: boolean): void {
    content.version += 1;
    const changed = content.lessons.filter(
      (now) =>
        JSON.stringify(now) !== JSON.stringify(before.lessons.find(({ id }) => id === now.id)),
    );
    const isSame = JSON.stringify(before.modules) === JSON.stringify(content.modules);
    topics.publish(TOPIC, 'content.published', {
      courseId: COURSE,
      version: content.version,
      title: content.title,
      note: '',
      changes: [],
      publishedAt: '2026-01-01T00:00:00.000000Z',
      modules: isSame || isLarge ? null : content.modules,
      lessons: isLarge ? null : changed,
    });
  }

  const changes: ((n: number) => void)[] = [
    (n) => {
      const module = content.modules[n % 2];
      if (!module) return;
      const added = lesson(module.id);
      content.lessons.push(added);
      module.lessonIds.splice(n % (module.lessonIds.length + 1), 0, added.id);
    },
    (n) => {
      const edited = content.lessons[n % (content.lessons.length || 1)];
      if (edited) Object.assign(edited, { title: `Edited ${n}`, revision: edited.revision + 1 });
    },
    (n) => {
      const module = content.modules[n % 2];
      const [removed] = module?.lessonIds.splice(n % 3, 1) ?? [];
      content.lessons = content.lessons.filter(({ id }) => id !== removed);
    },
    () => content.modules.reverse(),
    (n) => (content.title = `Title ${n}`),
    (n) => content.modules.forEach((module) => (module.title = `Module ${n}`)),
  ];
  const change = (n: number) => {
    const before = structuredClone(content);
    changes[n % changes.length]?.(n);
    publish(before, n % 7 === 0);
  };
  return {
    content,
    api: { catalog: { content: topics.snapshot(TOPIC, () => content) } },
    change,
    changeAll: () => change(1),
  } satisfies Model & { content: CourseContent };
}

it('ends every reader’s content equal to what is published', async () => {
  await expectConvergence(publishing, (connection, model) =>
    [0, 1].map(() => {
      const store = courseContent(connection, COURSE);
      return {
        store,
        compare() {
          const { content, status } = shownBy(store);
          expect(status).toBe('live');
          const byId = (a: ContentLesson, b: ContentLesson) => (a.id < b.id ? -1 : 1);
          expect(content).toEqual({
            ...model.content,
            lessons: [...model.content.lessons].sort(byId),
          });
        },
      };
    }),
  );
}, 120_000);
