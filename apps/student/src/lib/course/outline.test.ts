import type { CourseContent, CourseProgress } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { courseOutline, lessonAfter } from './outline.ts';

const lesson = (id: string, moduleId: string, isRequired = true) => ({
  ...{ id, moduleId, isRequired, title: id, durationMinutes: 5, revision: 1 },
  kind: 'text' as const,
});

const content: CourseContent = {
  ...{ courseId: 'c', version: 1, title: 'Bread' },
  modules: [
    { id: 'm1', title: 'Flour', summary: '', lessonIds: ['b', 'a'] },
    { id: 'm2', title: 'Time', summary: '', lessonIds: ['c'] },
  ],
  lessons: [lesson('a', 'm1'), lesson('b', 'm1', false), lesson('c', 'm2')],
};

const progress = (...done: string[]) =>
  ({
    lessons: done.map((lessonId) => ({
      ...{ lessonId, completedAt: '2026-01-01T00:00:00Z', place: 1, timeSpentSeconds: 60 },
      ...{ attempts: 0, bestScore: null },
    })),
  }) as unknown as CourseProgress;

it('keeps the order of the modules, whatever the order of the lessons', () => {
  const { modules, lessons } = courseOutline(content, progress());
  expect(modules.map(({ lessons: rows }) => rows.map(({ id }) => id))).toEqual([['b', 'a'], ['c']]);
  expect(lessons.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
});

it('goes on with what counts, then with what is optional, then with nothing', () => {
  expect(courseOutline(content, progress()).next?.id).toBe('a');
  expect(courseOutline(content, progress('a')).next?.id).toBe('c');
  expect(courseOutline(content, progress('a', 'c')).next?.id).toBe('b');
  expect(courseOutline(content, progress('a', 'b', 'c')).next).toBeUndefined();
});

it('knows what comes after a lesson, also across modules', () => {
  const outline = courseOutline(content, progress());
  expect(lessonAfter(outline, 'a')?.id).toBe('c');
  expect(lessonAfter(outline, 'c')).toBeUndefined();
});
