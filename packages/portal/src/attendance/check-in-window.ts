import type { Workshop } from '@homeroom/api/contract';

const minuteMs = 60_000;

/** Where a workshop is in time, for those who want to check in. */
export type CheckInPhase = 'early' | 'open' | 'over';

/**
 * Whether one can check in at a moment (milliseconds since 1970). The database decides; this keeps
 * what it would refuse off the screen.
 */
export function checkInPhase(
  workshop: Pick<Workshop, 'startsAt' | 'endsAt' | 'checkInOpensMinutes' | 'status'>,
  now: number,
): CheckInPhase {
  if (workshop.status === 'cancelled' || now >= Date.parse(workshop.endsAt)) return 'over';
  const opensAt = Date.parse(workshop.startsAt) - workshop.checkInOpensMinutes * minuteMs;
  return now < opensAt ? 'early' : 'open';
}
