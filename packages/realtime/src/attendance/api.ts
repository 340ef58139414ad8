import type { AttendanceList, LiveCursor, OwnPlace, WorkshopView } from '@homeroom/api/contract';

/** What a live query answers. */
type Answer<Data> = Promise<{ data: Data; cursor: LiveCursor }>;

/** The part of the API that the stores of workshops need. */
export type AttendanceApi = {
  attendance: {
    list: { query(input: { workshopId: string }): Answer<AttendanceList> };
    checkIn: { mutate(input: { workshopId: string; userId: string }): Promise<unknown> };
    undo: {
      mutate(input: { workshopId: string; userId: string; reason: string }): Promise<unknown>;
    };
    checkInByCode: {
      mutate(input: { workshopId: string; code: string; seenAt: string }): Promise<unknown>;
    };
  };
  workshops: {
    view: { query(input: { workshopId: string }): Answer<WorkshopView> };
    mine: { query(input: { workshopId: string }): Answer<OwnPlace> };
    register: { mutate(input: { workshopId: string }): Promise<unknown> };
    unregister: { mutate(input: { workshopId: string }): Promise<unknown> };
  };
};
