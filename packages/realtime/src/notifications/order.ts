import type { Notification, NotificationBox } from '@homeroom/api/contract';

/** A place in a box: the moment that the box is ordered by, and the id between equals. */
export type Place = { at: string; id: string };

/** The order of a box. */
export type Order = {
  placeOf(notification: Notification): Place;
  /** Negative when `a` stands before `b`. */
  compare(a: Place, b: Place): number;
};

/** Negative when `a` is later than `b`. Times have a fixed width, so text order does. */
function laterFirst(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at > b.at ? -1 : 1;
  if (a.id !== b.id) return a.id > b.id ? -1 : 1;
  return 0;
}

const newestFirst: Order = {
  placeOf: ({ id, listedAt }) => ({ at: listedAt, id }),
  compare: laterFirst,
};

const nextToComeBackFirst: Order = {
  placeOf: ({ id, listedAt, snoozedUntil }) => ({ at: snoozedUntil ?? listedAt, id }),
  compare: (a, b) => laterFirst(b, a),
};

/** The order of a box, as `notifications.list` gives it. */
export function orderOf(box: NotificationBox = 'inbox'): Order {
  return box === 'snoozed' ? nextToComeBackFirst : newestFirst;
}

/** The place in the inbox that the API's keysets name. */
export function inboxPlace({ createdAt, id }: { createdAt: string; id: string }): Place {
  return { at: createdAt, id };
}
