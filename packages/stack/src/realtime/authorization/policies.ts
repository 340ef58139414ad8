/**
 * Who may hear and speak on a private topic: asked of the policies on `realtime.messages`, under
 * the user's claims, with rows that are never committed. Policies may use `topic`, `extension`,
 * `realtime.topic()`, `auth.*` and `request.headers`; nothing else of a row is set.
 */
import pg from 'pg';
import type { Meter } from '../metrics/meter.ts';
import type { Claims } from '../token/verifier.ts';

export type Extension = 'broadcast' | 'presence';
/** What a policy for inserting may be asked about besides: keeping what is sent. */
export type WriteExtension = Extension | 'persistence';

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

const INSUFFICIENT_PRIVILEGE = '42501';
const QUERY_CANCELED = '57014';
const NO_PARTITION = '23514';

/** Reads the policies over a pool of the server's own role. Every answer is one round trip. */
export class Policies {
  readonly #pool: pg.Pool;
  readonly #meter: Meter;

  constructor(pool: pg.Pool, meter: Meter) {
    this.#pool = pool;
    this.#meter = meter;
  }

  /** The extensions that these claims may hear. */
  async readable(asker: AuthorizationRequest, extensions: Extension[]): Promise<Set<Extension>> {
    const topic = pg.escapeLiteral(asker.topic);
    const ids = extensions.map(() => `'${crypto.randomUUID()}'`);
    const probes = extensions.map((extension, n) => `(${ids[n]}, ${topic}, '${extension}')`);
    const rows = await this.#probe(
      `begin;
       insert into realtime.messages (id, topic, extension) values ${probes.join(', ')};
       ${settings(asker)};
       select extension from realtime.messages where id in (${ids.join(', ')});
       rollback;`,
    );
    return new Set(rows as Extension[]);
  }

  /** Whether these claims may speak on the topic, or have what they say kept. */
  async canWrite(asker: AuthorizationRequest, extension: WriteExtension): Promise<boolean> {
    const topic = pg.escapeLiteral(asker.topic);
    try {
      await this.#probe(
        `begin;
         ${settings(asker)};
         insert into realtime.messages (topic, extension) values (${topic}, '${extension}');
         rollback;`,
      );
      return true;
    } catch (error) {
      if (sqlState((error as Error).cause) === INSUFFICIENT_PRIVILEGE) return false;
      throw error;
    }
  }

  /** Runs a whole transaction; gives the `extension` column of whatever it selected. */
  async #probe(transaction: string): Promise<string[]> {
    this.#meter.topicChecks += 1;
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw failure(error);
    }
    try {
      const results = (await client.query(transaction)) as unknown as pg.QueryResult[];
      client.release();
      const selected = results.filter((result) => result.command === 'SELECT').at(-1);
      return (selected?.rows ?? []).map((row: { extension: string }) => row.extension);
    } catch (error) {
      await client.query('rollback').then(
        () => client.release(),
        (broken: Error) => client.release(broken),
      );
      throw failure(error);
    }
  }
}

/** Takes the user's place until the transaction ends. */
function settings({ topic, claims, headers }: AuthorizationRequest): string {
  const values: [string, string][] = [
    ['role', claims.role],
    ['realtime.topic', topic],
    ['request.jwt.claims', claims.json],
    ['request.jwt.claim.sub', claims.sub ?? ''],
    ['request.jwt.claim.role', claims.role],
    ['request.headers', headers],
  ];
  const calls = values.map(
    ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true)`,
  );
  return `select ${calls.join(', ')}`;
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

function failure(error: unknown): AuthorizationFailure {
  const text = error instanceof Error ? error.message : String(error);
  const made = ((): AuthorizationFailure => {
    switch (sqlState(error)) {
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
