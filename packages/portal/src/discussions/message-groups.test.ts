import type { ThreadMessage } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { groupMessages } from './message-groups.ts';

const message = (id: string, sender: string, minute: number, parent: string | null = null) =>
  ({
    id,
    sender: { id: sender, name: sender, avatarUrl: null },
    createdAt: new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString(),
    parent: parent && { id: parent },
  }) as ThreadMessage;

it('puts together what one person wrote in one go', () => {
  const groups = groupMessages([
    message('1', 'ada', 0),
    message('2', 'ada', 1),
    message('3', 'bob', 2),
    message('4', 'ada', 3),
    message('5', 'ada', 30),
    message('6', 'ada', 31, '1'),
  ]);
  expect(groups.map(({ messages }) => messages.map(({ id }) => id))).toEqual([
    ['1', '2'],
    ['3'],
    ['4'],
    ['5'],
    ['6'],
  ]);
});
