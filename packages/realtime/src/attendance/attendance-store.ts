import type { AttendanceList, LiveCursor, Participant, Workshop } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import { liveQuery, type LocalChange, type LiveStatus } from '../live-query/live-query.ts';
import type { AttendanceApi } from './api.ts';
import { applyToAttendance, withParticipant } from './apply.ts';

/** The guide's numbers, and the list that moves as it happens. */
export type Attendance = {
  workshop: Workshop;
  /** Who has a place, whether or not they have come. */
  totalRegistered: number;
  checkedInCount: number;
  /** Of the participants, those whose browser is there now. */
  onlineCount: number;
  /** Who has a place and isn't checked in. */
  missingCount: number;
  waitlistedCount: number;
  /** In the order of registering; those who wait among them. */
  participants: readonly Participant[];
};

/** What the instructor's panel shows. */
export type WorkshopAttendanceState = {
  status: LiveStatus;
  attendance: Attendance | undefined;
  loading: boolean;
  error: LiveError | undefined;
};

/** A workshop's participants, live. Each change shows at once, and is taken back if it fails. */
export type WorkshopAttendanceStore = Readable<WorkshopAttendanceState> & {
  /** Checks someone in by hand; who isn't in the list walked in. */
  checkIn(userId: string): Promise<boolean>;
  /** Takes a check-in back, for a reason that the log keeps. */
  undoCheckIn(userId: string, reason: string): Promise<boolean>;
  refresh(): Promise<void>;
};

/** A workshop's participants, for its instructor. */
export function workshopAttendance(
  connection: Connection,
  workshopId: string,
  { initial }: { initial?: { data: AttendanceList; cursor: LiveCursor } } = {},
): WorkshopAttendanceStore {
  const api = connection.api.attendance;
  const now = () => new Date(connection.internals.clock.now()).toISOString();
  const query = liveQuery({
    connection,
    topic: `workshop:${workshopId}:staff`,
    load: () => api.list.query({ workshopId }),
    apply: applyToAttendance,
    initial,
  });
  const shown = derived(query, ({ data, status, error }): WorkshopAttendanceState => ({
    status,
    attendance: data && toAttendance(data),
    loading: data === undefined && status !== 'stopped',
    error,
  }));
  return {
    subscribe: shown.subscribe,
    checkIn: (userId) => query.change(checkingIn(api, workshopId, userId, now())),
    undoCheckIn: (userId, reason) => query.change(undoing(api, workshopId, userId, reason)),
    refresh: () => query.refresh(),
  };
}

function toAttendance({ workshop, counts, participants }: AttendanceList): Attendance {
  return {
    workshop,
    totalRegistered: counts.registered,
    checkedInCount: counts.checkedIn,
    onlineCount: participants.filter(({ presence }) => presence === 'online').length,
    missingCount: counts.registered - counts.checkedIn,
    waitlistedCount: counts.waitlisted,
    participants,
  };
}

type Api = AttendanceApi['attendance'];

const isCheckedIn = ({ participants }: AttendanceList, userId: string) =>
  participants.some(({ person, status }) => person.id === userId && status === 'checked_in');

/** Someone is checked in; `now` is shown until the database's own moment comes. */
function checkingIn(
  api: Api,
  workshopId: string,
  userId: string,
  now: string,
): LocalChange<AttendanceList> {
  return {
    show(list) {
      const before = list.participants.find(({ person }) => person.id === userId);
      if (!before || before.status === 'checked_in') return list;
      const { checkedIn, registered, waitlisted } = list.counts;
      const waited = before.status === 'waitlisted' ? 1 : 0;
      const counts = {
        checkedIn: checkedIn + 1,
        registered: registered + waited,
        waitlisted: waitlisted - waited,
      };
      return withParticipant({ ...list, counts }, userId, (one) => ({
        ...one,
        status: 'checked_in',
        checkedInAt: now,
        method: 'hand',
      }));
    },
    run: () => api.checkIn.mutate({ workshopId, userId }),
    isConfirmed: (list) => isCheckedIn(list, userId),
  };
}

/** A check-in is taken back: to a place, or, of who walked in, to nothing. */
function undoing(
  api: Api,
  workshopId: string,
  userId: string,
  reason: string,
): LocalChange<AttendanceList> {
  return {
    show(list) {
      if (!isCheckedIn(list, userId)) return list;
      const { counts } = list;
      const changed = { ...list, counts: { ...counts, checkedIn: counts.checkedIn - 1 } };
      return withParticipant(changed, userId, (one) => ({
        ...one,
        status: 'registered',
        checkedInAt: null,
        method: null,
        isLate: false,
      }));
    },
    run: () => api.undo.mutate({ workshopId, userId, reason }),
    isConfirmed: (list) => !isCheckedIn(list, userId),
  };
}
