import type { AttendanceList, Participant } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { notModelled } from '../testing/not-modelled.ts';
import { workshopAttendance } from './attendance-store.ts';

const WORKSHOP = 'workshop-1';
const TOPIC = `workshop:${WORKSHOP}:staff`;
const CAPACITY = 2;
const PEOPLE = ['ann', 'bob', 'cat', 'dan'];
const PRESENCES = ['online', 'away', 'offline'] as const;

/** A workshop for two, for which four people register, wait, come and go as the database has it. */
function evening(topics: ModelTopics) {
  let minute = 0;
  const now = () => new Date(Date.UTC(2031, 0, 1, 18, (minute += 1))).toISOString();
  const everybody = PEOPLE.map((id): Participant => ({
    workshopId: WORKSHOP,
    person: { id, name: id, avatarUrl: null },
    status: 'cancelled',
    registeredAt: now(),
    checkedInAt: null,
    method: null,
    isLate: false,
    presence: 'offline',
    secondsPresent: 0,
  }));
  const having = (...statuses: string[]) =>
    everybody.filter(({ status }) => statuses.includes(status));
  const counts = () => ({
    registered: having('registered', 'checked_in').length,
    checkedIn: having('checked_in').length,
    waitlisted: having('waitlisted').length,
  });
  const byRegistering = (a: Participant, b: Participant) =>
    a.registeredAt < b.registeredAt ? -1 : 1;
  const list = (): AttendanceList => ({
    workshop: { id: WORKSHOP, capacity: CAPACITY } as AttendanceList['workshop'],
    counts: counts(),
    participants: everybody
      .filter(({ status }) => status !== 'cancelled')
      .sort(byRegistering)
      .map((one) => ({ ...one })),
  });

  function set(one: Participant, change: Partial<Participant>): void {
    Object.assign(one, change);
    const { presence: _, secondsPresent: __, ...registration } = one;
    topics.publish(TOPIC, 'participant.changed', { registration, counts: counts() });
  }
  const none = { checkedInAt: null, method: null };
  const isFull = () => having('registered', 'checked_in').length >= CAPACITY;
  function fill(): void {
    const [first] = having('waitlisted').sort(byRegistering);
    if (first && !isFull()) set(first, { status: 'registered' });
  }
  function register(one: Participant): void {
    if (one.status !== 'cancelled') return;
    set(one, { status: isFull() ? 'waitlisted' : 'registered', registeredAt: now() });
  }
  function cancel(one: Participant): void {
    if (one.status !== 'registered' && one.status !== 'waitlisted') return;
    one.presence = 'offline';
    set(one, { status: 'cancelled', ...none });
    fill();
  }
  function checkIn(one: Participant, method: 'hand' | 'code'): void {
    if (one.status === 'checked_in') return;
    const how = one.status === 'registered' ? method : 'walk_in';
    set(one, { status: 'checked_in', checkedInAt: now(), method: how });
  }
  function undo(one: Participant): void {
    if (one.status !== 'checked_in') return;
    if (one.method === 'walk_in') {
      one.presence = 'offline';
      set(one, { status: 'cancelled', ...none });
      fill();
    } else set(one, { status: 'registered', ...none });
  }
  function appear(one: Participant, n: number): void {
    if (one.status === 'cancelled') return;
    one.presence = PRESENCES[n % 3] ?? 'offline';
    const told = { userId: one.person.id, status: one.presence };
    topics.publish(TOPIC, 'presence.changed', told);
  }
  const person = (n: number) => everybody[n % everybody.length]!;
  const named = (id: string) => everybody.find((one) => one.person.id === id)!;
  const changes = [register, cancel, register, (one: Participant) => checkIn(one, 'code'), appear];

  return {
    list,
    api: {
      attendance: {
        ...notModelled.attendance,
        list: topics.snapshot(TOPIC, list),
        checkIn: topics.call(({ userId }: { userId: string }) => checkIn(named(userId), 'hand')),
        undo: topics.call(({ userId }: { userId: string }) => undo(named(userId))),
      },
    },
    change: (n: number) => changes[n % changes.length]?.(person(n >> 3), n),
    changeAll: () => set(person(0), {}),
  } satisfies Model & { list: () => AttendanceList };
}

it('ends every panel equal to who is registered, there, waiting and online', async () => {
  await expectConvergence(evening, (connection, model) =>
    [0, 1].map(() => {
      const store = workshopAttendance(connection, WORKSHOP);
      return {
        store,
        act(n: number) {
          const id = PEOPLE[n % PEOPLE.length]!;
          void (n % 3 === 0 ? store.undoCheckIn(id, 'Mistaken') : store.checkIn(id));
        },
        compare() {
          const { attendance, status } = shownBy(store);
          expect(status).toBe('live');
          const { counts, participants } = model.list();
          expect(attendance).toMatchObject({
            totalRegistered: counts.registered,
            checkedInCount: counts.checkedIn,
            waitlistedCount: counts.waitlisted,
            missingCount: counts.registered - counts.checkedIn,
            onlineCount: participants.filter(({ presence }) => presence === 'online').length,
          });
          expect(attendance?.participants).toEqual(participants);
        },
      };
    }),
  );
}, 120_000);
