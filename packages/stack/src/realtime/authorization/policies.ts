/**
 * Who may hear and speak on a private topic: asked of the policies on `realtime.messages`, under
 * the user's claims, with rows that are never committed. Policies may use `topic`, `extension`,
 * `realtime.topic()`, `auth.*` and `request.headers`; nothing else of a row is set.
 */
import pg from 'pg';
import type { Meter } from '../metrics/meter.ts';
import { type AuthorizationRequest, type Extension, failure, rollback, sqlState } from './probe.ts';
import { ReadQuestions } from './read-questions.ts';

export { AuthorizationFailure, type AuthorizationRequest, type Extension } from './probe.ts';
/** What a policy for inserting may be asked about besides: keeping what is sent. */
export type WriteExtension = Extension | 'persistence';

const INSUFFICIENT_PRIVILEGE = '42501';

/** Reads the policies over a pool of the server's own role. Every answer is one round trip. */
export class Policies {
  readonly #pool: pg.Pool;
  readonly #meter: Meter;
  readonly #reads: ReadQuestions;

  constructor(pool: pg.Pool, meter: Meter) {
    this.#pool = pool;
    this.#meter = meter;
    this.#reads = new ReadQuestions(pool);
  }

  /** The extensions that these claims may hear. */
  readable(asker: AuthorizationRequest, extensions: Extension[]): Promise<Set<Extension>> {
    this.#meter.topicChecks += 1;
    return this.#reads.ask(asker, extensions);
  }

  /** Whether these claims may speak on the topic, or have what they say kept. */
  async canWrite(asker: AuthorizationRequest, extension: WriteExtension): Promise<boolean> {
    this.#meter.topicChecks += 1;
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
      if (sqlState(error) === INSUFFICIENT_PRIVILEGE) return false;
      throw failure(error);
    }
  }

  /** Runs a whole transaction. */
  async #probe(transaction: string): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query(transaction);
      client.release();
    } catch (error) {
      await rollback(client);
      throw error;
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
