import { expect, it } from 'vitest';
import { newPlan, planOf, readPlan } from './plan-form.ts';

const now = Date.parse('2031-03-29T10:20:00Z');
const zone = 'Europe/Stockholm';
const typed = { ...newPlan(now, zone), title: ' Dice ' };

it('begins with an hour tomorrow, in the instructor’s zone, for as many as want', () => {
  expect(readPlan(typed)).toEqual({
    ok: true,
    plan: {
      title: 'Dice',
      description: '',
      location: null,
      meetingUrl: null,
      // The clocks have gone forward in between: 13:00 of that day.
      startsAt: '2031-03-30T11:00:00.000Z',
      endsAt: '2031-03-30T12:00:00.000Z',
      timeZone: zone,
      capacity: null,
      isOpen: false,
      checkInOpensMinutes: 15,
      lateAfterMinutes: 10,
    },
  });
});

it('says all that is wrong at once', () => {
  const bad = {
    ...typed,
    ...{ title: ' ', starts: '2031-03-30T02:30', ends: '', capacity: '0', lateAfterMinutes: 'x' },
    meetingUrl: 'javascript:alert(1)',
  };
  expect(readPlan(bad)).toEqual({
    ok: false,
    fields: {
      title: 'Give it a title.',
      starts: 'The clocks go forward over this time, so it does not exist there.',
      ends: 'Enter a date and a time.',
      capacity: 'Enter 1 or more, or nothing for as many as want.',
      lateAfterMinutes: 'Enter a number of minutes.',
      meetingUrl: 'Enter an address that begins with https://.',
    },
  });
  const backwards = { ...typed, starts: '2031-04-01T10:00', ends: '2031-04-01T10:00' };
  expect(readPlan(backwards)).toMatchObject({
    fields: { ends: 'It has to end after it begins.' },
  });
});

it('shows a workshop as its form would have made it', () => {
  const read = readPlan({ ...typed, capacity: '8', isOpen: 'on', location: 'Room 4' });
  if (!read.ok) throw new Error('refused');
  const workshop = {
    ...{ id: 'w', courseId: 'c', isOnline: false, status: 'scheduled' as const },
    ...{ ...read.plan, description: '', location: 'Room 4', timeZone: zone, capacity: 8 },
    ...{ isOpen: true, checkInOpensMinutes: 15, lateAfterMinutes: 10 },
  };
  expect(readPlan(planOf(workshop, null))).toEqual(read);
});
