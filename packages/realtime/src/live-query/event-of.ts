import type { LiveEvent } from '../connection/api.ts';

/** The events of a capability, each with its own data, from the data by the events' names. */
export type EventOf<Events> = {
  [Name in keyof Events]: Omit<LiveEvent, 'event' | 'data'> & { event: Name; data: Events[Name] };
}[keyof Events];

/**
 * Tells whether an event is one of those named. Only the database can send on a data topic, so the
 * data of a name is taken to have its shape.
 */
export function isOneOf<Events>(names: Readonly<Record<keyof Events, true>>) {
  return (event: LiveEvent): event is LiveEvent & EventOf<Events> =>
    Object.hasOwn(names, event.event);
}
