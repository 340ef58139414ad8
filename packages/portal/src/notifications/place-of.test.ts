import { expect, it } from 'vitest';
import { placeOfNotification } from './place-of.ts';

const nowhere = { relatedEntityType: null, relatedEntityId: null, courseId: null, data: {} };

it('leads to the message that it tells of', () => {
  expect(placeOfNotification(nowhere)).toBeUndefined();
  const thread = { relatedEntityType: 'thread', relatedEntityId: 't', courseId: 'c' };
  const told = placeOfNotification({ ...thread, data: { message_number: 7 } });
  expect(told?.href).toBe('/courses/c/discussions/t?message=7');
  const written = { ...nowhere, relatedEntityType: 'conversation', data: { sender_id: 'bob' } };
  expect(placeOfNotification(written)?.href).toBe('/messages/bob');
});
