import type { LiveCursor, Presence } from '@homeroom/api/contract';

/** The part of the API that presence needs. */
export type PresenceApi = {
  presence: {
    list: { query(input: { place: string }): Promise<{ data: Presence; cursor: LiveCursor }> };
    keep: {
      mutate(input: { place: string; status: 'online' | 'away' | 'leaving' }): Promise<unknown>;
    };
    typing: { mutate(input: { threadId: string } | { userId: string }): Promise<unknown> };
    settings: { set: { mutate(input: { isInvisible: boolean }): Promise<unknown> } };
  };
};
