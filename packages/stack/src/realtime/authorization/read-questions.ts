/**
 * Who may hear what, asked for many at once: when a crowd comes back after a restart, each question
 * by itself would plan the same query anew. What is asked while others are being answered goes with
 * the next lot, so a single join waits for nothing.
 */
import pg from 'pg';
import { type AuthorizationRequest, failure, type Extension, rollback } from './probe.ts';

type Question = {
  asker: AuthorizationRequest;
  extensions: readonly Extension[];
  answered(readable: Set<Extension>): void;
  failed(error: unknown): void;
};
/** `readable` is a list with commas: `pg` takes 30 µs to read an array. */
type Answer = { n: number; readable: string | null; state: string | null; reason: string };

/** Lots asked at the same time; the pool's last connection is for what else is asked. */
const LOTS_AT_ONCE = 3;
/** Questions in one lot: enough to share the round trip, few enough not to wait for slow policies. */
const LOT_SIZE = 25;

/** Connections on which the function is there. */
const prepared = new WeakSet<pg.PoolClient>();

/** Collects questions about reading and asks them in lots. */
export class ReadQuestions {
  readonly #pool: pg.Pool;
  #waiting: Question[] = [];
  #lots = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** The extensions that these claims may hear. @throws AuthorizationFailure */
  ask(asker: AuthorizationRequest, extensions: readonly Extension[]): Promise<Set<Extension>> {
    return new Promise((answered, failed) => {
      this.#waiting.push({ asker, extensions, answered, failed });
      this.#askNext();
    });
  }

  #askNext(): void {
    if (this.#lots >= LOTS_AT_ONCE || this.#waiting.length === 0) return;
    this.#lots += 1;
    void this.#askAll(this.#waiting.splice(0, LOT_SIZE)).finally(() => {
      this.#lots -= 1;
      this.#askNext();
    });
  }

  /** A lot that fails as a whole is asked in halves, so that nobody fails for another's question. */
  async #askAll(questions: Question[]): Promise<void> {
    try {
      for (const [n, answer] of await askLot(this.#pool, questions)) settle(questions[n], answer);
    } catch (error) {
      if (questions.length === 1 || !(error instanceof pg.DatabaseError)) {
        for (const question of questions) question.failed(failure(error));
        return;
      }
      const half = questions.length >> 1;
      await this.#askAll(questions.slice(0, half));
      await this.#askAll(questions.slice(half));
    }
  }
}

function settle(question: Question | undefined, { readable, state, reason }: Answer): void {
  if (state === null) question?.answered(new Set(readable?.split(',') as Extension[]));
  else question?.failed(failure(new pg.DatabaseError(reason, reason.length, 'error'), state));
}

/** One round trip, in a transaction that leaves nothing. */
async function askLot(pool: pg.Pool, questions: readonly Question[]): Promise<[number, Answer][]> {
  const askers = questions.map(({ asker, extensions }, n) => ({
    ...{ n, topic: asker.topic, headers: asker.headers, extensions },
    ...{ role: asker.claims.role, claims: asker.claims.json, sub: asker.claims.sub ?? '' },
    ids: extensions.map(() => crypto.randomUUID()),
  }));
  const client = await pool.connect();
  try {
    if (!prepared.has(client)) {
      await client.query(DEFINITION);
      prepared.add(client);
    }
    const results = (await client.query(
      `begin;
       select * from pg_temp.realtime_readable(${pg.escapeLiteral(JSON.stringify(askers))});
       rollback;`,
    )) as unknown as pg.QueryResult<Answer>[];
    client.release();
    const rows = results.find((result) => result.command === 'SELECT')?.rows ?? [];
    return rows.map((row) => [row.n, row]);
  } catch (error) {
    await rollback(client);
    throw error;
  }
}

/** Takes each user's place in turn. A policy that fails for one of them fails for that one. */
const DEFINITION = `
  create or replace function pg_temp.realtime_readable(askers jsonb)
  returns table (n integer, readable text, state text, reason text)
  language plpgsql as $function$
  #variable_conflict use_column
  declare
    asker record;
    setting text;
    -- With it Postgres looks into one partition, and asks the policy once rather than once for each.
    moment timestamp := timezone('utc', now());
  begin
    insert into realtime.messages (id, topic, extension, inserted_at)
    select probe.id, asked.topic, probe.extension, moment
    from jsonb_to_recordset(askers) as asked (topic text, ids uuid[], extensions text[])
    cross join unnest(asked.ids, asked.extensions) as probe (id, extension);

    for asker in
      select * from jsonb_to_recordset(askers) as asked (
        n integer, topic text, role text, claims text, sub text, headers text, ids uuid[]
      )
    loop
      begin
        setting := set_config('role', asker.role, true);
        setting := set_config('realtime.topic', asker.topic, true);
        setting := set_config('request.jwt.claims', asker.claims, true);
        setting := set_config('request.jwt.claim.sub', asker.sub, true);
        setting := set_config('request.jwt.claim.role', asker.role, true);
        setting := set_config('request.headers', asker.headers, true);
        return query select
          asker.n,
          (
            select string_agg(extension, ',') from realtime.messages
            where id = any (asker.ids) and inserted_at = moment
          ),
          null, null;
      exception when others then
        return query select asker.n, null, sqlstate, sqlerrm;
      end;
    end loop;
  end $function$`;
