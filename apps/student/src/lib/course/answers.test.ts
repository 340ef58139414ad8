import { expect, it } from 'vitest';
import { readAnswers } from './answers.ts';

it('reads choices as lists and texts as texts, and nothing else', () => {
  const form = new FormData();
  form.append('revision', '3');
  form.append('choice:q:1', 'a');
  form.append('choice:q2', 'b');
  form.append('choice:q2', 'c');
  form.append('text:q3', ' salt ');
  expect(readAnswers(form)).toEqual({ 'q:1': ['a'], q2: ['b', 'c'], q3: ' salt ' });
});
