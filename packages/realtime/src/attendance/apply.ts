import type {
  AttendanceEvents,
  AttendanceList,
  Participant,
  Registration,
  WorkshopEvents,
  WorkshopView,
} from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';

/** Events by name, each with its own data. */
type Told<Events> = {
  [Name in keyof Events]: Omit<LiveEvent, 'event' | 'data'> & { event: Name; data: Events[Name] };
}[keyof Events];

/** Only the database can send on these topics, so the data of a name is taken to have its shape. */
function isAttendanceEvent(event: LiveEvent): event is Told<AttendanceEvents> {
  return event.event === 'participant.changed' || event.event === 'presence.changed';
}

function isWorkshopEvent(event: LiveEvent): event is Told<WorkshopEvents> {
  return event.event === 'workshop.counted' || event.event === 'workshop.changed';
}

/** The list after an event of `workshop:<id>:staff`. Pure. */
export function applyToAttendance(list: AttendanceList, event: LiveEvent): AttendanceList {
  if (!isAttendanceEvent(event)) return list;
  switch (event.event) {
    case 'participant.changed': {
      const { registration, counts } = event.data;
      return { ...withRegistration(list, registration), counts };
    }
    case 'presence.changed': {
      const { userId, status } = event.data;
      return withParticipant(list, userId, (one) => ({ ...one, presence: status }));
    }
  }
}

/** A list in which one participant is changed. */
export function withParticipant(
  list: AttendanceList,
  userId: string,
  change: (participant: Participant) => Participant,
): AttendanceList {
  const participants = list.participants.map((one) =>
    one.person.id === userId ? change(one) : one,
  );
  return { ...list, participants };
}

function withRegistration(list: AttendanceList, registration: Registration): AttendanceList {
  const userId = registration.person.id;
  const before = list.participants.find(({ person }) => person.id === userId);
  const others = list.participants.filter((one) => one !== before);
  if (registration.status === 'cancelled') return { ...list, participants: others };
  const { presence = 'offline', secondsPresent = 0 } = before ?? {};
  const participants = [...others, { ...registration, presence, secondsPresent }];
  return { ...list, participants: participants.sort(inOrder) };
}

/** As they have registered. Times have a fixed width, so text order is theirs. */
function inOrder(a: Participant, b: Participant): number {
  if (a.registeredAt !== b.registeredAt) return a.registeredAt < b.registeredAt ? -1 : 1;
  return a.person.id < b.person.id ? -1 : 1;
}

/** The workshop after an event of `workshop:<id>`. Pure. */
export function applyToWorkshop(view: WorkshopView, event: LiveEvent): WorkshopView {
  return isWorkshopEvent(event) ? { ...view, ...event.data } : view;
}
