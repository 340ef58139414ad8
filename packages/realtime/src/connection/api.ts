import type {
  LiveCursor,
  LiveEvent,
  NotificationSnapshot,
  NotificationType,
  Since,
} from '@homeroom/api/contract';

/**
 * The part of the API that live topics need. Structural, so that a tRPC client satisfies it and so
 * does a model of the server in a test.
 */
export type LiveApi = {
  live: { since: { query(input: { topic: string; seq: number }): Promise<Since> } };
};

/** Which notifications are wanted; both ends of the time range are included. */
export type NotificationFilters = {
  type?: NotificationType;
  read?: boolean;
  /** ISO moment with its zone. */
  from?: string;
  /** ISO moment with its zone. */
  to?: string;
};

/** The part of the API that the notification stores need. */
export type NotificationsApi = {
  notifications: {
    list: {
      query(
        input: NotificationFilters & { cursor?: string; limit?: number },
      ): Promise<{ data: NotificationSnapshot; cursor: LiveCursor }>;
    };
    markAsRead: { mutate(input: { id: string }): Promise<unknown> };
    markAsUnread: { mutate(input: { id: string }): Promise<unknown> };
    markAllAsRead: {
      mutate(input: { through: { createdAt: string; id: string } }): Promise<unknown>;
    };
    remove: { mutate(input: { id: string }): Promise<unknown> };
  };
};

/** All that the stores of this package ask of the API; `createTRPCClient<AppRouter>()` fits. */
export type RealtimeApi = LiveApi & NotificationsApi;

export type { LiveCursor, LiveEvent, Since };
