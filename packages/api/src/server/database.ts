import type { Database } from '@homeroom/db';
import { PgDialect } from 'drizzle-orm/pg-core';
import { PostgresJsSession, PostgresJsTransaction } from 'drizzle-orm/postgres-js';
import type { Sql, TransactionSql } from 'postgres';
import { noTracing, type Tracing } from '../tracing/tracing.ts';
import { isLostConnection, LostConnectionError, onceMoreIfLost } from './lost-connection.ts';

/** A transaction in which row level security sees the user. Drizzle's, with prepared statements. */
export type UserTransaction = PostgresJsTransaction<Record<string, never>, Record<string, never>>;

/** For whom a transaction runs. Made by us from a verified token, never taken from a client. */
export type DatabaseClaims = (
  | { userId: string; email: string; sessionId?: string | undefined }
  /** A service, by the id of its key or its name: as the service role; we have checked its rights. */
  | { service: string }
) & {
  /** Of the call: the database's log and `pg_stat_activity` show it. */
  requestId?: string | undefined;
};

/** The role of someone whom nobody knows: what is granted to it, the whole world may do. */
const NOBODY = { role: 'anon' };

/**
 * `read`: one snapshot for all statements, so data and cursor are of the same moment.
 * `write`: every statement sees what was committed before it, so nobody's change is lost.
 */
export type TransactionMode = 'read' | 'write';

const BEGIN: Record<TransactionMode, string> = {
  read: 'isolation level repeatable read read only',
  write: 'isolation level read committed',
};

/** A statement of a user's call that takes longer is given up; the caller has long gone. */
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Sets role, claims and time limit until the end of the transaction, and no longer, so that it
 * works behind a transaction pooler too.
 */
const BECOME_USER = `
  select
    set_config('role', $1, true),
    set_config('request.jwt.claims', $2, true),
    set_config('application_name', $3, true),
    set_config('homeroom.settle', $4, true),
    set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', true)`;

/**
 * Raised by the database (`settled_seq`) when somebody has finished writing the next event of a
 * topic while we read it. Read anew, data and number are complete: what is written by then, we hear.
 */
const SETTLE_AND_REPEAT = 'SETTLE_AND_REPEAT';

const dialect = new PgDialect();

/** What a trace says of a transaction. */
const DATABASE_FACTS = { 'db.system.name': 'postgresql' };

/**
 * Runs `work` in a transaction of its own, as the user (as nobody for null), under row level
 * security. `work` does statements and nothing else: a network error of another kind would be taken
 * for a lost database, and it may be done twice, the first time for nothing.
 */
export type AsUser = <Result>(
  claims: DatabaseClaims | null,
  mode: TransactionMode,
  work: (tx: UserTransaction) => Promise<Result>,
) => Promise<Result>;

/**
 * What is left to do in a transaction whose connection is lost: nothing, not even a `rollback`.
 * postgres.js 3.4 would write it to a socket that is gone, which ends the process; its `begin`
 * fails by itself as soon as the connection is closed.
 */
const NOTHING_MORE = new Promise<never>(() => {});

/** How far a transaction has come. */
type Progress = { hasBegun: boolean; isLost: boolean };

/**
 * Makes {@link AsUser} for a database. The statement that sets the claims is sent together with
 * the first one of `work` (they share a round trip), and a read gives its result without waiting
 * for its `commit`: a query costs `begin` and one round trip.
 */
export function createAsUser(database: Database, tracing: Tracing = noTracing): AsUser {
  const client: Sql = database.$client;

  const runAsUser = <Result>(
    claims: DatabaseClaims | null,
    mode: TransactionMode,
    work: (tx: UserTransaction) => Promise<Result>,
    settle: 'on' | 'off',
  ): Promise<Result> =>
    new Promise((resolve, reject) => {
      const jwtClaims = claims ? jwtClaimsOf(claims) : NOBODY;
      const applicationName = applicationNameOf(claims?.requestId);
      const { role } = jwtClaims;
      const progress: Progress = { hasBegun: false, isLost: false };
      const run = async (transaction: TransactionSql) => {
        progress.hasBegun = true;
        // Started here: a query of postgres.js is sent when it is first awaited, and nothing of
        // `work` may be sent before it.
        const becoming = transaction
          .unsafe(BECOME_USER, [role, JSON.stringify(jwtClaims), applicationName, settle], {
            prepare: true,
          })
          .execute();
        // Both are waited for, whatever happens: what is sent after the end of the transaction
        // would run without the user's role.
        const [became, worked] = await Promise.allSettled([
          becoming,
          work(drizzleOn(transaction, progress)),
        ]);
        for (const outcome of [became, worked]) {
          if (outcome.status === 'rejected') progress.isLost ||= isLostConnection(outcome.reason);
        }
        if (progress.isLost) return NOTHING_MORE;
        if (became.status === 'rejected') throw became.reason;
        if (worked.status === 'rejected') throw worked.reason;
        if (mode === 'read') resolve(worked.value);
        return worked;
      };
      const begin = () => client.begin(BEGIN[mode], run);
      onceMoreIfLost(begin, () => !progress.hasBegun).then(
        ({ value }) => resolve(value),
        (error: Error) => {
          progress.isLost = true;
          reject(error);
        },
      );
    });
  return (claims, mode, work) =>
    tracing.run(`transaction ${mode}`, DATABASE_FACTS, () =>
      runAsUser(claims, mode, work, 'on').catch((error: unknown) => {
        if (!isRaised(error, SETTLE_AND_REPEAT)) throw error;
        return runAsUser(claims, mode, work, 'off');
      }),
    );
}

function isRaised(error: unknown, message: string): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current.message === message) return true;
  }
  return false;
}

/** As `auth.uid()`, `auth.jwt()` and the policies read it. */
function jwtClaimsOf(claims: DatabaseClaims) {
  if ('service' in claims) return { role: 'service_role', service: claims.service };
  const { userId, email, sessionId } = claims;
  return { sub: userId, role: 'authenticated', email, session_id: sessionId };
}

/** Longer names are cut by Postgres, with a notice each time. */
const APPLICATION_NAME_MAX = 63;

function applicationNameOf(requestId: string | undefined): string {
  return requestId ? `homeroom ${requestId}`.slice(0, APPLICATION_NAME_MAX) : 'homeroom';
}

/**
 * Drizzle on a transaction of postgres.js. It is built here, because Drizzle's own
 * `db.transaction` never prepares a statement: each would be sent twice (described, then run) and
 * could not share a round trip with another.
 */
function drizzleOn(transaction: TransactionSql, progress: Progress): UserTransaction {
  const preparing = {
    unsafe(query: string, parameters: never[]) {
      if (progress.isLost) throw new LostConnectionError('The connection is gone');
      return transaction.unsafe(query, parameters, { prepare: true });
    },
    savepoint: transaction.savepoint,
  } as unknown as Sql & TransactionSql; // Of their methods, Drizzle calls these two.
  const session = new PostgresJsSession<
    Sql & TransactionSql,
    Record<string, never>,
    Record<string, never>
  >(preparing, dialect, undefined);
  return new PostgresJsTransaction(dialect, session, undefined);
}
