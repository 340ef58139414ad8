import { expect, it } from 'vitest';
import { sorted } from './sorting.ts';

const rows = [
  { name: 'Course 10', count: 2 },
  { name: 'course 9', count: 11 },
  { name: 'Äther', count: 2 },
];
const names = (column: 'name' | 'count', direction: 'ascending' | 'descending') =>
  sorted(rows, { column, direction }).map(({ name }) => name);

it('sorts texts as people do', () => {
  expect(names('name', 'ascending')).toEqual(['Äther', 'course 9', 'Course 10']);
});

it('sorts numbers as numbers, and keeps the order of equals', () => {
  expect(names('count', 'descending')).toEqual(['course 9', 'Course 10', 'Äther']);
});
