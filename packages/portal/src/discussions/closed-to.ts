import type { Thread } from '@homeroom/api/contract';

/** Why somebody can't write in a discussion now; undefined: they can. */
export function closedTo(
  { isClosed, isLocked }: Pick<Thread, 'isClosed' | 'isLocked'>,
  isStaff: boolean,
): string | undefined {
  if (isClosed) return 'This discussion is closed.';
  return isLocked && !isStaff ? 'Only the staff can write here now.' : undefined;
}
