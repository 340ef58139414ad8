import type { ThreadEvents, ThreadListEvents, ThreadReaderEvents } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';

/** Events by name, each with its own data. */
type Told<Events> = {
  [Name in keyof Events]: Omit<LiveEvent, 'event' | 'data'> & { event: Name; data: Events[Name] };
}[keyof Events];

/** The events on `thread:<id>`. */
export type ThreadEvent = Told<ThreadEvents>;
/** The events about threads on `course:<id>`. */
export type ThreadListEvent = Told<ThreadListEvents>;
/** The events about reading on `user:<uid>`. */
export type ThreadReaderEvent = Told<ThreadReaderEvents>;

const IN_THREAD: Readonly<Record<keyof ThreadEvents, true>> = {
  'message.created': true,
  'message.updated': true,
  'message.reacted': true,
  'thread.updated': true,
};

const IN_LIST: Readonly<Record<keyof ThreadListEvents, true>> = {
  'thread.created': true,
  'thread.activity': true,
  'thread.updated': true,
  'thread.removed': true,
};

/**
 * Whether an event of a thread's topic is one that we know. Only the database can send there, so
 * the data of a name is taken to have its shape; so it is below.
 */
export function isThreadEvent(event: LiveEvent): event is ThreadEvent {
  return Object.hasOwn(IN_THREAD, event.event);
}

/** Whether an event of a course's topic is about its threads. */
export function isThreadListEvent(event: LiveEvent): event is ThreadListEvent {
  return Object.hasOwn(IN_LIST, event.event);
}

/** Whether an event of a user's topic is about what they have read. */
export function isThreadReaderEvent(event: LiveEvent): event is ThreadReaderEvent {
  return event.event === 'thread.read';
}
