import type { Contact, LiveCursor, Presence } from '@homeroom/api/contract';

/** The part of the API that presence needs. */
export type PresenceApi = {
  presence: {
    list: { query(input: { place: string }): Promise<{ data: Presence; cursor: LiveCursor }> };
    keep: {
      mutate(input: { place: string; status: 'online' | 'away' | 'leaving' }): Promise<unknown>;
    };
    contacts: {
      query(input: {
        userId?: string;
      }): Promise<{ data: { items: Contact[] }; cursor: LiveCursor }>;
    };
    typing: { mutate(input: { threadId: string } | { userId: string }): Promise<unknown> };
    settings: { set: { mutate(input: { isInvisible: boolean }): Promise<unknown> } };
  };
};
