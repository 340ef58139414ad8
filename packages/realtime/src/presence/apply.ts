import type { Presence, PresenceEvents, Present } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';

/** From here on people are a number: the database tells of no more by name. */
const PEOPLE_MAX = 100;

/** The events about presence on a place's topic. */
type PresenceEvent = {
  [Name in keyof PresenceEvents]: Omit<LiveEvent, 'event' | 'data'> & {
    event: Name;
    data: PresenceEvents[Name];
  };
}[keyof PresenceEvents];

/** Only the database can send on that topic, so the data of a name is taken to have its shape. */
function isPresenceEvent(event: LiveEvent): event is PresenceEvent {
  return event.event === 'presence.changed' || event.event === 'presence.counted';
}

/** Who is there, and whether only a new snapshot can tell it. */
export type PresenceWindow = Presence & { isStale: boolean };

/** Who is there after an event of the place's topic. Pure. */
export function apply(window: PresenceWindow, event: LiveEvent): PresenceWindow {
  if (!isPresenceEvent(event)) return window;
  if (event.event === 'presence.counted') {
    const { onlineCount } = event.data;
    // A crowd has become few: who they are has to be asked.
    return { onlineCount, people: null, isStale: onlineCount <= PEOPLE_MAX };
  }
  // By name again after a number: the crowd has become few.
  if (window.people === null) return { ...window, isStale: true };
  const { person, status } = event.data;
  const others = window.people.filter((one) => one.person.id !== person.id);
  const people = status === 'offline' ? others : [...others, { person, status }];
  return { ...window, people: people.sort(byName), onlineCount: people.length };
}

/** By name, and the id decides between equals. */
export function byName(a: Present, b: Present): number {
  return a.person.name.localeCompare(b.person.name) || (a.person.id < b.person.id ? -1 : 1);
}
