import type { Registration } from '@homeroom/api/contract';

/** How someone stands to a workshop, in words. */
export function placeOf({ status, isLate }: Pick<Registration, 'status' | 'isLate'>): string {
  switch (status) {
    case 'registered':
      return 'You have a place';
    case 'waitlisted':
      return 'On the waiting list';
    case 'cancelled':
      return 'Not registered';
    case 'checked_in':
      return isLate ? 'Checked in, late' : 'Checked in';
  }
}
