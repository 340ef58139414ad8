import type { CalendarEvent } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { calendarFile } from './calendar-file.ts';

const event: CalendarEvent = {
  id: '0b5b0d5e-7a54-4f2c-9d3f-1f5f3d0b8a11',
  title: 'Dice',
  description: 'Six games.',
  location: null,
  meetingUrl: null,
  // A quarter of an hour before and after the clocks of Europe go forward.
  startsAt: '2031-03-30T00:45:00.000Z',
  endsAt: '2031-03-30T01:15:00.000Z',
  sequence: 3,
  status: 'confirmed',
  updatedAt: '2031-03-01T09:00:00.000Z',
};
const origin = 'https://learn.example.test';

/** Lines as they are meant: long ones are folded. */
const linesOf = (file: string) => file.replaceAll('\r\n ', '').split('\r\n');

it('names a workshop for good, numbers its changes, and is exact across summer time', () => {
  const lines = linesOf(calendarFile([event], { origin, isFeed: true }));
  expect(lines).toEqual(
    expect.arrayContaining([
      'METHOD:PUBLISH',
      'UID:workshop-0b5b0d5e-7a54-4f2c-9d3f-1f5f3d0b8a11@homeroom',
      'SEQUENCE:3',
      'DTSTART:20310330T004500Z',
      'DTEND:20310330T011500Z',
      'STATUS:CONFIRMED',
      'DTSTAMP:20310301T090000Z',
    ]),
  );
  const twice = calendarFile([event], { origin, isFeed: true });
  expect(linesOf(twice)).toEqual(lines);
});

it('calls off: in a feed as one event of many, in a file as what the file is for', () => {
  const events = [{ ...event, status: 'cancelled' as const }];
  expect(calendarFile(events, { origin, isFeed: true })).toContain('METHOD:PUBLISH\r\n');
  const file = calendarFile(events, { origin, isFeed: false });
  expect(file).toContain('METHOD:CANCEL\r\n');
  expect(file).toContain('STATUS:CANCELLED\r\n');
});

it('lets no text become a line of its own', () => {
  const evil = 'A\r\nATTENDEE:mailto:eve@example.test\nEND:VEVENT\rX:1;,\\ "q"';
  const texts = { title: evil, description: evil, location: evil, meetingUrl: 'https://m.test/x' };
  const lines = linesOf(calendarFile([{ ...event, ...texts }], { origin, isFeed: true }));
  expect(lines.filter((line) => /^(ATTENDEE|X:)/.test(line))).toEqual([]);
  expect(lines.filter((line) => line === 'END:VEVENT')).toHaveLength(1);
  expect(lines.join('').includes('\r') || lines.join('').includes('\n')).toBe(false);
});
