import { expect, it } from 'vitest';
import { readPicked, snoozeChoices } from './snooze-choices.ts';

const BERLIN = 'Europe/Berlin';
const at = (moment: string) => Date.parse(moment);
const offered = (moment: string, zone = BERLIN) =>
  Object.fromEntries(snoozeChoices(at(moment), zone).map(({ label, until }) => [label, until]));

it('offers an hour, the evening, the morning and Monday, where the reader is', () => {
  expect(offered('2026-11-25T09:30:00Z')).toEqual({
    'In an hour': '2026-11-25T10:30:00.000Z',
    'This evening': '2026-11-25T17:00:00.000Z',
    'Tomorrow morning': '2026-11-26T07:00:00.000Z',
    'Next week': '2026-11-30T07:00:00.000Z',
  });
  expect(offered('2026-11-25T09:30:00Z', 'Asia/Tokyo')).toMatchObject({
    'Tomorrow morning': '2026-11-25T23:00:00.000Z',
  });
});

it('leaves out an evening that has come, and the week that begins tomorrow', () => {
  expect(offered('2026-11-29T16:30:00Z')).toEqual({
    'In an hour': '2026-11-29T17:30:00.000Z',
    'Tomorrow morning': '2026-11-30T07:00:00.000Z',
  });
  expect(offered('2026-11-30T12:00:00Z')['Next week']).toBe('2026-12-07T07:00:00.000Z');
});

it('keeps to the clock when summer time ends', () => {
  expect(offered('2026-10-24T10:00:00Z')).toMatchObject({
    'This evening': '2026-10-24T16:00:00.000Z',
    'Tomorrow morning': '2026-10-25T07:00:00.000Z',
  });
});

it('takes a time that was picked, or says what is wrong with it', () => {
  const now = at('2026-11-25T09:30:00Z');
  expect(readPicked('2026-11-25T12:00', now, BERLIN)).toEqual({
    until: '2026-11-25T11:00:00.000Z',
  });
  for (const [picked, problem] of [
    ['', 'Enter a date'],
    ['2026-11-25T10:30', 'has passed'],
    ['2027-11-26T10:00', 'within a year'],
    ['2027-03-28T02:30', 'clocks skip'],
  ] as const) {
    expect(readPicked(picked, now, BERLIN)).toEqual({
      problem: expect.stringContaining(problem) as string,
    });
  }
});
