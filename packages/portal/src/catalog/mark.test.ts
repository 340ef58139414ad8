import { expect, it } from 'vitest';
import { courseMark } from './mark.ts';

it('is always the same for a course, and another for another', () => {
  expect(courseMark('bread')).toEqual(courseMark('bread'));
  expect(courseMark('bread')).not.toEqual(courseMark('sql'));
});
