import { expect, it } from 'vitest';
import { hueOf, initialsOf } from './initials.ts';

it('takes the first letters of the first and the last word', () => {
  expect(initialsOf('Ada King Lovelace')).toBe('AL');
  expect(initialsOf('  Plato ')).toBe('P');
  expect(initialsOf('')).toBe('');
});

it('gives a name the same hue each time', () => {
  expect(hueOf('Ada')).toBe(hueOf('Ada'));
  expect(hueOf('Ada')).not.toBe(hueOf('Grace'));
});
