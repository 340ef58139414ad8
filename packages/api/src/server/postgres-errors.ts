import { isErrorCode, type ErrorCode } from './error-codes.ts';

/** Our code for Postgres's own errors, where the caller can do something about them. */
const CODES_OF_SQLSTATE: Record<string, ErrorCode> = {
  '42501': 'FORBIDDEN', // insufficient_privilege: a policy or a missing grant
  '23505': 'ALREADY_EXISTS', // unique_violation
  '23503': 'REFERENCE_NOT_FOUND', // foreign_key_violation
  '23514': 'INPUT_INVALID', // check_violation
  '22P02': 'INPUT_INVALID', // invalid_text_representation
  '22003': 'INPUT_INVALID', // numeric_value_out_of_range
  '22008': 'INPUT_INVALID', // datetime_field_overflow
  '22023': 'INPUT_INVALID', // invalid_parameter_value
  '40001': 'CONFLICT', // serialization_failure
  '40P01': 'CONFLICT', // deadlock_detected
  '57014': 'UNAVAILABLE', // query_canceled: ran out of time
  '57P01': 'UNAVAILABLE', // admin_shutdown
  '57P02': 'UNAVAILABLE', // crash_shutdown
  '57P03': 'UNAVAILABLE', // cannot_connect_now
  '25P03': 'UNAVAILABLE', // idle_in_transaction_session_timeout
  '53300': 'UNAVAILABLE', // too_many_connections
  '25006': 'UNAVAILABLE', // read_only_sql_transaction: a standby, or the disk is full
  '53100': 'UNAVAILABLE', // disk_full
  CONNECTION_CLOSED: 'UNAVAILABLE', // this one and the next: postgres.js
  CONNECTION_ENDED: 'UNAVAILABLE',
  CONNECTION_DESTROYED: 'UNAVAILABLE',
  CONNECT_TIMEOUT: 'UNAVAILABLE',
  ECONNREFUSED: 'UNAVAILABLE', // from here on: the socket
  ECONNRESET: 'UNAVAILABLE',
  EPIPE: 'UNAVAILABLE',
  ETIMEDOUT: 'UNAVAILABLE',
  ENOTFOUND: 'UNAVAILABLE',
};

/**
 * Our code for an error of the database: the one that a function raised as its message, optionally
 * followed by a colon and words (`raise exception 'TOPIC_FORBIDDEN'`), else the one for its
 * sqlstate. Drizzle wraps the driver's errors, so causes are looked through. Null when it is no
 * error of the database, or one that nobody outside can do anything about.
 */
export function fromPostgres(error: unknown): ErrorCode | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    const raised = /^[A-Z_]+/.exec(current.message)?.[0];
    if (!('code' in current) || typeof current.code !== 'string') continue;
    if (raised && isErrorCode(raised)) return raised;
    const known = CODES_OF_SQLSTATE[current.code];
    if (known) return known;
  }
  return null;
}

/**
 * The seconds that a function of the database asks to wait, in the detail of the error that it
 * raised: `raise exception 'SLOW_MODE' using detail = '12 s'`.
 */
export function retryAfterOf(error: unknown): number | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (!('detail' in current) || typeof current.detail !== 'string') continue;
    const seconds = /^(\d+) s$/.exec(current.detail)?.[1];
    if (seconds) return Math.max(1, Number(seconds));
  }
  return undefined;
}
