/** Users as rows: what the functions of their claims give, in a temporary table with an index. */
import type pg from 'pg';
import type { Claims } from '../token/verifier.ts';
import { CLAIM_FUNCTIONS, subjectColumn } from './policy-text.ts';

const NUMBER = subjectColumn('n');
/** Subjects that were not asked for in so many batches go when the table is made anew. */
const FORGOTTEN_AFTER_BATCHES = 1_000;
/** The table is made anew when it has grown to twice its size, and to this at least. */
const LEAST_REBUILT = 1_000;

type Subject = { number: number; askedIn: number };

/** The subjects of one table and role on one connection. */
export class Subjects {
  readonly #client: pg.Client;
  readonly #table: string;
  readonly #known = new Map<Claims, Subject>();
  readonly #byNumber = new Map<number, Claims>();
  /** Those for whom a function of their claims fails, as it does in a policy. */
  readonly #failing = new Set<Claims>();
  #lastNumber = 0;
  #batch = 0;
  #analyzedAt = 0;
  #rebuiltAt = LEAST_REBUILT;

  private constructor(client: pg.Client, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Makes the table, empty. */
  static async create(client: pg.Client, name: string): Promise<Subjects> {
    const table = `pg_temp.${name}`;
    const uid = subjectColumn('uid');
    await client.query(`
      drop table if exists ${table};
      create temporary table ${name} (
        ${NUMBER} int primary key, ${uid} uuid, ${subjectColumn('role')} text,
        ${subjectColumn('email')} text, ${subjectColumn('jwt')} jsonb
      );
      create index on ${table} (${uid});
      ${ADD}`);
    return new Subjects(client, table);
  }

  /** Its name in SQL. */
  get table(): string {
    return this.#table;
  }

  /** Makes sure that all of them are there, and gives those who can't be: their claims fail. */
  async ensure(claims: readonly Claims[]): Promise<Claims[]> {
    this.#batch += 1;
    const missing: Claims[] = [];
    for (const one of claims) {
      const subject = this.#known.get(one);
      if (subject === undefined) missing.push(one);
      else subject.askedIn = this.#batch;
    }
    if (missing.length > 0) await this.#add(missing);
    return this.#failing.size === 0 ? [] : claims.filter((one) => this.#failing.has(one));
  }

  /** Whose number that is. */
  claimsOf(number: number): Claims | undefined {
    return this.#byNumber.get(number);
  }

  async #add(missing: readonly Claims[]): Promise<void> {
    if (this.#known.size + missing.length > this.#rebuiltAt * 2) await this.#forgetOld();
    const numbers = missing.map((_, n) => this.#lastNumber + n + 1);
    this.#lastNumber += missing.length;
    const { rows } = await this.#client.query<{ failed: number[] }>(
      'select pg_temp.realtime_add_subjects($1, $2, $3) as failed',
      [this.#table, numbers, missing.map((one) => one.json)],
    );
    const failed = new Set(rows[0]?.failed);
    missing.forEach((one, n) => {
      const number = numbers[n] ?? 0;
      this.#known.set(one, { number, askedIn: this.#batch });
      this.#byNumber.set(number, one);
      if (failed.has(number)) this.#failing.add(one);
    });
    await this.#analyze();
  }

  /** Nobody else does it for a temporary table. */
  async #analyze(): Promise<void> {
    if (this.#known.size < this.#analyzedAt * 1.5) return;
    await this.#client.query(`analyze ${this.#table}`);
    this.#analyzedAt = this.#known.size;
  }

  async #forgetOld(): Promise<void> {
    const oldest = this.#batch - FORGOTTEN_AFTER_BATCHES;
    const gone: number[] = [];
    for (const [claims, { number, askedIn }] of this.#known) {
      if (askedIn >= oldest) continue;
      gone.push(number);
      this.#known.delete(claims);
      this.#failing.delete(claims);
      this.#byNumber.delete(number);
    }
    this.#rebuiltAt = Math.max(LEAST_REBUILT, this.#known.size);
    await this.#client.query(`delete from ${this.#table} where ${NUMBER} = any($1)`, [gone]);
    await this.#client.query(`vacuum analyze ${this.#table}`);
  }
}

/** Gives the numbers of those for whom a function fails. */
const ADD = `
  create or replace function pg_temp.realtime_add_subjects(target text, numbers int[], claims text[])
  returns int[] language plpgsql as $function$
  declare
    failed int[] := '{}';
    setting text;
  begin
    for n in 1 .. cardinality(numbers) loop
      setting := set_config('request.jwt.claims', claims[n], true);
      begin
        execute format('insert into %s values ($1, ${CLAIM_FUNCTIONS.map((name) => `auth.${name}()`).join(', ')})', target)
          using numbers[n];
      exception when others then
        failed := failed || numbers[n];
      end;
    end loop;
    return failed;
  end $function$;`;
