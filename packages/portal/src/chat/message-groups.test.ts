import { expect, it } from 'vitest';
import { groupMessages } from './message-groups.ts';

type Message = { id: string; sender: string; createdAt: string; isReply: boolean };

const message = (id: string, sender: string, minute: number, isReply = false): Message => ({
  id,
  sender,
  createdAt: new Date(Date.UTC(2026, 0, 1, 23, minute)).toISOString(),
  isReply,
});
const grouping = {
  senderOf: ({ sender }: Message) => sender,
  dayOf: (at: number) => new Date(at).toISOString().slice(0, 10),
  standsAlone: ({ isReply }: Message) => isReply,
};
const idsOf = (groups: { messages: Message[] }[]) =>
  groups.map(({ messages }) => messages.map(({ id }) => id).join(''));

it('puts together what one person wrote in one go', () => {
  const groups = groupMessages(
    [
      message('1', 'ada', 0),
      message('2', 'ada', 1),
      message('3', 'bob', 2),
      message('4', 'ada', 3),
      message('5', 'ada', 30),
      message('6', 'ada', 31, true),
    ],
    grouping,
  );
  expect(idsOf(groups)).toEqual(['12', '3', '4', '5', '6']);
});

it('begins anew at midnight, and where what is new to the reader begins', () => {
  const groups = groupMessages(
    [message('1', 'ada', 58), message('2', 'ada', 59), message('3', 'ada', 61)],
    { ...grouping, firstNewId: '2' },
  );
  expect(idsOf(groups)).toEqual(['1', '2', '3']);
  expect(groups.map(({ beginsDay }) => beginsDay)).toEqual([true, false, true]);
  expect(groups.map(({ beginsNew }) => beginsNew)).toEqual([false, true, false]);
});
