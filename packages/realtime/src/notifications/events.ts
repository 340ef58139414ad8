import type { NotificationEvents } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';

/** The events about notifications on `user:<uid>`, each with its own data. */
export type NotificationEvent = {
  [Name in keyof NotificationEvents]: Omit<LiveEvent, 'event' | 'data'> & {
    event: Name;
    data: NotificationEvents[Name];
  };
}[keyof NotificationEvents];

const NAMES: Readonly<Record<keyof NotificationEvents, true>> = {
  'notification.created': true,
  'notification.updated': true,
  'notification.removed': true,
  'notifications.read': true,
};

/**
 * Whether an event of the user's topic is about notifications. Only the database can send on that
 * topic, so the data of a name is taken to have its shape.
 */
export function isNotificationEvent(event: LiveEvent): event is NotificationEvent {
  return Object.hasOwn(NAMES, event.event);
}
