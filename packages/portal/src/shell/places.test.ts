import { expect, it } from 'vitest';
import { isAt } from './places.ts';

const place = (href: string) => ({ href, label: '', icon: () => ({}) });

it('knows the pages below a place, and no others', () => {
  expect(isAt(place('/courses'), '/courses/bread')).toBe(true);
  expect(isAt(place('/courses'), '/courses')).toBe(true);
  expect(isAt(place('/courses'), '/courses-of-last-year')).toBe(false);
  expect(isAt(place('/'), '/courses')).toBe(false);
  expect(isAt({ ...place('/'), below: '/courses' }, '/courses/bread')).toBe(true);
});
