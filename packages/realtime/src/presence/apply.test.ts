import type { Present } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { apply, type PresenceWindow } from './apply.ts';

const personOf = (name: string) => ({ id: name, name, avatarUrl: null });
const told = (event: string, data: unknown) => ({ seq: 1, event, at: 0, data });
const changed = (name: string, status: string) =>
  told('presence.changed', { person: personOf(name), status });
const few: PresenceWindow = { onlineCount: 0, people: [], isStale: false };
const namesOf = ({ people }: PresenceWindow) => people?.map((one: Present) => one.person.name);

it('keeps people by name, each once, and counts them', () => {
  const events = [changed('Bo', 'online'), changed('Al', 'online'), changed('Bo', 'away')];
  const after = events.reduce(apply, few);
  expect(namesOf(after)).toEqual(['Al', 'Bo']);
  expect(after.onlineCount).toBe(2);
  expect(namesOf(apply(after, changed('Al', 'offline')))).toEqual(['Bo']);
});

it('knows a crowd by its number, and asks who they are when it becomes few', () => {
  const crowd = apply(few, told('presence.counted', { onlineCount: 250 }));
  expect(crowd).toEqual({ onlineCount: 250, people: null, isStale: false });
  expect(apply(crowd, told('presence.counted', { onlineCount: 99 })).isStale).toBe(true);
  expect(apply(crowd, changed('Al', 'offline')).isStale).toBe(true);
});
