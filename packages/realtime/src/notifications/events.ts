import type { LiveEvent, NotificationEvents } from '@homeroom/api/contract';

/** The events about notifications on `user:<uid>`, each with its own data. */
export type NotificationEvent = {
  [Name in keyof NotificationEvents]: Omit<LiveEvent, 'event' | 'data'> & {
    event: Name;
    data: NotificationEvents[Name];
  };
}[keyof NotificationEvents];
