/** What questions to the policies have in common: who asks, and what it means when one fails. */
import pg from 'pg';
import type { Claims } from '../token/verifier.ts';

export type Extension = 'broadcast' | 'presence';

/** Who asks, and for which topic (without the prefix). `headers` is JSON text. */
export type AuthorizationRequest = { topic: string; claims: Claims; headers: string };

/** The database could not answer; `code` opens the join's error. */
export class AuthorizationFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const QUERY_CANCELED = '57014';
const NO_PARTITION = '23514';

/** The code that Postgres gave an error, if it is one of Postgres'. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The failure that an error of the database means. */
export function failure(error: unknown, state = sqlState(error)): AuthorizationFailure {
  const text = error instanceof Error ? error.message : String(error);
  const made = ((): AuthorizationFailure => {
    switch (state) {
      case QUERY_CANCELED:
        return new AuthorizationFailure('QueryCanceled', text);
      case NO_PARTITION:
        return new AuthorizationFailure(
          'MissingPartition',
          'Realtime was unable to find the expected messages partition',
        );
      case undefined:
        return new AuthorizationFailure(
          'UnableToConnectToProject',
          'Realtime was unable to connect to the project database',
        );
      default:
        return new AuthorizationFailure('UnableToSetPolicies', text);
    }
  })();
  made.cause = error;
  return made;
}

/** Gives a connection back after a failure; one that is broken is not used again. */
export function rollback(client: pg.PoolClient): Promise<void> {
  return client.query('rollback').then(
    () => client.release(),
    (broken: Error) => client.release(broken),
  );
}
