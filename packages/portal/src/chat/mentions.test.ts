import { expect, it } from 'vitest';
import { mentionBegun, toMarkup, toMention, toWritten } from './mentions.ts';

const ann = { id: '0b5c6c1e-0000-4000-8000-000000000001', name: 'Ann' };
const anna = { id: '0b5c6c1e-0000-4000-8000-000000000002', name: 'Ann One' };

it('turns chosen names into markup and back', () => {
  const text = '@Ann One and @Ann, not @Anna or a@Ann.test';
  const markup = toMarkup(text, [ann, anna]);
  expect(markup).toBe(
    `[@Ann One](mention:${anna.id}) and [@Ann](mention:${ann.id}), not @Anna or a@Ann.test`,
  );
  expect(toWritten(markup).text).toBe(text);
  expect(toWritten(markup).mentions).toContainEqual(anna);
  expect(toMarkup('@Ann', [])).toBe('@Ann');
});

it('takes names that are no words of a pattern for names', () => {
  const odd = toMention({ ...ann, name: 'A.*](javascript:1)[', avatarUrl: null });
  expect(toWritten(toMarkup(`@${odd.name} hi`, [odd]))).toEqual({
    text: `@${odd.name} hi`,
    mentions: [odd],
  });
});

it('sees a name being written, and no address', () => {
  expect(mentionBegun('Ask @An', 7)).toEqual({ from: 4, words: 'An' });
  expect(mentionBegun('@', 1)).toEqual({ from: 0, words: '' });
  expect(mentionBegun('@Ann O', 6)).toEqual({ from: 0, words: 'Ann O' });
  expect(mentionBegun('ann@example', 11)).toBeUndefined();
  expect(mentionBegun('Ask @An', 3)).toBeUndefined();
});
