import type { OutlineOf } from '@homeroom/realtime/core';
import { expect, it } from 'vitest';
import { lessonAfter } from './next-lesson.ts';

const outline = {
  modules: [{ lessons: [{ id: 'a' }, { id: 'b' }] }, { lessons: [] }, { lessons: [{ id: 'c' }] }],
} as unknown as OutlineOf;

it('knows what comes after a lesson, also across modules', () => {
  expect(lessonAfter(outline, 'a')?.id).toBe('b');
  expect(lessonAfter(outline, 'b')?.id).toBe('c');
  expect(lessonAfter(outline, 'c')).toBeUndefined();
  expect(lessonAfter(outline, 'elsewhere')).toBeUndefined();
});
