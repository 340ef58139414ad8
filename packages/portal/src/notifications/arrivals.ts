import type { Notification } from '@homeroom/api/contract';

/**
 * Splits a list, newest first, at the newest that the reader has been shown: what came since waits
 * above, so that it doesn't move what is being read.
 */
export function splitArrivals(list: readonly Notification[], shownThrough: string) {
  const first = list.findIndex(({ listedAt }) => listedAt <= shownThrough);
  const waiting = first < 0 ? list.length : first;
  return { waiting, shown: list.slice(waiting) };
}
