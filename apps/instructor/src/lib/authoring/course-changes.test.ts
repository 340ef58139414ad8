import type { Workbench } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { courseChanges, type PublishedCourse } from './course-changes.ts';

const details: Workbench['details'] = {
  slug: 'bread',
  title: 'Bread',
  summary: '',
  description: '',
  coverUrl: null,
  category: 'food',
  level: 'beginner',
  priceCents: 0,
  currency: 'EUR',
};
const card = (id: string, moduleId: string) => ({
  ...{ id, moduleId, title: id, kind: 'text' as const, durationMinutes: 1 },
  ...{ isRequired: true, revision: 1, isPublished: true, hasDraft: false },
});
const module = (id: string, ...lessonIds: string[]) => ({ id, title: id, summary: '', lessonIds });
const lessons = [card('one', 'A'), card('two', 'A'), card('three', 'B')];
const bench: Workbench = {
  ...{ courseId: 'c', status: 'published', version: 1, publishedAt: null, hasDraft: false },
  ...{ details, detailsVersion: 0, outlineVersion: 0, lessons },
  outline: [module('A', 'one', 'two'), module('B', 'three')],
};
const published: PublishedCourse = {
  details,
  content: { courseId: 'c', version: 1, title: 'Bread', modules: bench.outline, lessons },
};
const told = (changed: Partial<Workbench>, from: PublishedCourse | null = published) =>
  courseChanges({ ...bench, ...changed }, from).map(({ kind, title }) =>
    title === undefined ? kind : `${kind} ${title}`,
  );

it('tells before a publication what it will change', () => {
  expect(told({})).toEqual([]);
  expect(told({ outline: [module('B', 'three'), module('A', 'one', 'two')] })).toEqual([
    'reordered',
  ]);
  expect(told({ outline: [module('A', 'one'), module('B', 'two', 'three')] })).toEqual([
    'lesson_moved two',
  ]);
  expect(told({ outline: [module('A', 'one', 'two'), module('C')] })).toEqual([
    'module_added C',
    'module_removed B',
    'lesson_removed three',
  ]);
  const changed = lessons.map((one) =>
    one.id === 'one' ? { ...one, hasDraft: true, isRequired: false } : one,
  );
  expect(told({ lessons: changed, details: { ...details, title: 'Good bread' } })).toEqual([
    'course_edited',
    'lesson_edited one',
    'lesson_optional one',
  ]);
  const hidden = lessons.map((one) => (one.id === 'two' ? { ...one, isPublished: false } : one));
  expect(told({ lessons: hidden })).toEqual(['lesson_removed two']);
  expect(told({ status: 'draft', lessons: hidden }, null)).toEqual([
    'course_published',
    ...['module_added A', 'module_added B', 'lesson_added one', 'lesson_added three'],
  ]);
});
