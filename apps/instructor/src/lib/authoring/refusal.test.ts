import { expect, it } from 'vitest';
import { fieldWords, refusalOf } from './refusal.ts';

it('says in words where something is to be mended', () => {
  expect(fieldWords('quiz.questions.0.choices.1.text')).toBe('Question 1, choice 2');
  expect(fieldWords('quiz.questions.2.prompt')).toBe('Question 3, what it asks');
  expect(fieldWords('attachments.0.url')).toBe('File 1, address');
  expect(fieldWords('quiz')).toBe('Quiz');
});

it('says what was wrong, and what to do', () => {
  const data = {
    httpStatus: 400,
    appCode: 'INPUT_INVALID',
    whatToDo: 'Correct the fields that are named, then send it again.',
    fields: [{ field: 'fields.title', reason: 'Write something here.' }],
  };
  expect(
    refusalOf(Object.assign(new Error('Some of what was sent is not valid.'), { data })),
  ).toEqual({
    code: 'INPUT_INVALID',
    message:
      'Some of what was sent is not valid. Correct the fields that are named, then send it again.',
    fields: [{ field: 'title', reason: 'Write something here.' }],
  });
  expect(refusalOf(new TypeError('fetch failed'))).toMatchObject({
    code: 'UNREACHABLE',
    fields: [],
  });
});
