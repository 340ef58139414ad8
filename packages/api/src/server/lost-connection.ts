/**
 * Codes with which postgres.js and sockets say that a connection is gone, and Postgres that it is
 * about to close it.
 */
const LOST = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
]);

/** Whether an error, or what it was caused by, is the loss of the connection. */
export function isLostConnection(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && LOST.has(current.code))
      return true;
  }
  return false;
}

/** A statement came after the connection of its transaction was lost. */
export class LostConnectionError extends Error {
  override readonly name = 'LostConnectionError';
  readonly code = 'CONNECTION_CLOSED';
}

/**
 * Does it once more when the connection was lost: the pool may have kept one that the server has
 * closed meanwhile, and postgres.js 3.4 gives the first statement after that the error of the old
 * connection. Only for what changes nothing, or what can't have begun.
 */
export async function onceMoreIfLost<Result>(
  attempt: () => Promise<Result>,
  mayRepeat: () => boolean = () => true,
): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    if (isLostConnection(error) && mayRepeat()) return attempt();
    throw error;
  }
}
