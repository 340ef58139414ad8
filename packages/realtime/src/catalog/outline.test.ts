import type { ContentLesson } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { outlineOf } from './outline.ts';

const lesson = (id: string, isRequired = true): ContentLesson => ({
  ...{ id, isRequired, moduleId: 'm', title: id, kind: 'text', durationMinutes: 1, revision: 1 },
});
const content = {
  courseId: 'c',
  version: 1,
  title: 'C',
  modules: [{ id: 'm', title: 'M', summary: '', lessonIds: ['b', 'a', 'c'] }],
  lessons: [lesson('a', false), lesson('b'), lesson('c')],
};
const done = (...ids: string[]) => ({
  lessons: ids.map((lessonId) => ({ lessonId, completedAt: 'then', attempts: 0, bestScore: null })),
  completedModuleIds: [],
});

it('goes on with what counts, then with the rest, and then with nothing', () => {
  expect(outlineOf(content, done()).next?.id).toBe('b');
  expect(outlineOf(content, done('b')).next?.id).toBe('c');
  expect(outlineOf(content, done('b', 'c')).next?.id).toBe('a');
  expect(outlineOf(content, done('a', 'b', 'c')).next).toBeUndefined();
});

it('puts lessons in the order of their module, with what is done', () => {
  const [module] = outlineOf(content, done('a')).modules;
  expect(module?.lessons.map(({ id, isCompleted }) => [id, isCompleted])).toEqual([
    ['b', false],
    ['a', true],
    ['c', false],
  ]);
  expect(outlineOf(undefined, undefined)).toEqual({ modules: [], next: undefined });
});
