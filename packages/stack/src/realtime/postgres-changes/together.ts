/** Row level security asked for all users at once: a join of the rows with the users. */
import pg from 'pg';
import type { Claims } from '../token/verifier.ts';
import { provePolicies, type Proof } from './policy-proof.ts';
import { SUBJECT, subjectColumn } from './policy-text.ts';
import {
  isRow,
  onlyRowSource,
  rowParameters,
  rowSource,
  rowValues,
  tableName,
  WAIT_FOR_COMMITS,
  type JudgedRow,
} from './row-keys.ts';
import { Subjects } from './subjects.ts';
import type { Table } from './table.ts';

/** Who sees a row: everybody who was asked about, or these. */
export type Viewers = 'everybody' | readonly Claims[];
/** The answer; `failing` are those about whom nothing could be said. */
export type Answer = { viewers: Map<number, Viewers>; failing: Claims[] };

/** A function for one table and role, as long as its policies stay what they are. */
export class AskTogether {
  readonly #client: pg.Client;
  readonly #table: Table;
  readonly #subjects: Subjects;
  readonly #call: string;

  private constructor(client: pg.Client, table: Table, subjects: Subjects, call: string) {
    this.#client = client;
    this.#table = table;
    this.#subjects = subjects;
    this.#call = call;
  }

  /** Makes the function; null where policies can only be asked one by one. */
  static async prepare(
    client: pg.Client,
    table: Table,
    role: string,
    name: string,
  ): Promise<AskTogether | null> {
    const proof = await provePolicies(client, table, role);
    if (proof === null) return null;
    const subjects = await Subjects.create(client, `${name}_subjects`);
    const signature = `pg_temp.${name}(${rowParameters(table)})`;
    await client.query(definition(table, proof, subjects.table, signature));
    const parameters = ['$1', ...table.primaryKey.map((_, n) => `$${n + 2}`)];
    const call = `select nth::int4, viewers from pg_temp.${name}(${parameters.join(', ')})`;
    return new AskTogether(client, table, subjects, call);
  }

  /** Which of the claims see which rows; null when the policies have changed meanwhile. */
  async ask(rows: readonly JudgedRow[], claims: readonly Claims[]): Promise<Answer | null> {
    const failing = await this.#subjects.ensure(claims);
    const answer = await this.#client.query<{ nth: number; viewers: number[] | null }>(
      this.#call,
      rowValues(this.#table, rows),
    );
    const viewers = new Map<number, Viewers>();
    for (const { nth, viewers: numbers } of answer.rows) {
      if (nth === 0) return null;
      const row = nth - 1;
      const known = viewers.get(row);
      if (known === 'everybody') continue;
      if (numbers === null) viewers.set(row, 'everybody');
      else viewers.set(row, [...(known ?? []), ...this.#claimsOf(numbers)]);
    }
    return { viewers, failing };
  }

  #claimsOf(numbers: readonly number[]): Claims[] {
    return numbers.flatMap((number) => this.#subjects.claimsOf(number) ?? []);
  }
}

/** A row with nth 0 says that the policies have changed. */
function definition(table: Table, proof: Proof, subjects: string, signature: string): string {
  const viewersIn = (rows: string): string =>
    proof.anyOf
      .map((condition) => viewersBy(table, condition, rows, subjects))
      .join(' union all ') || 'select 0::bigint, null::int[] where false';
  return `
    create or replace function ${signature}
    returns table (nth bigint, viewers int[]) language plpgsql as $function$
    #variable_conflict use_column
    begin
      ${WAIT_FOR_COMMITS}
      if ${proof.fingerprint} is distinct from ${pg.escapeLiteral(proof.version)} then
        return query select 0::bigint, null::int[];
      elsif cardinality(realtime_keys_0) = 1 then
        return query ${viewersIn(onlyRowSource(table))};
      else
        return query ${viewersIn(rowSource(table))};
      end if;
    end $function$`;
}

/** By one condition: each row with its viewers, or with null where it doesn't ask who it is. */
function viewersBy(table: Table, condition: string, rows: string, subjects: string): string {
  const from = `${rows} join ${tableName(table)} on ${isRow(table, pg.escapeIdentifier(table.name))}`;
  if (!condition.includes(SUBJECT)) {
    return `select realtime_nth, null::int[] from ${from} where ${condition}`;
  }
  return `
    select realtime_nth, array_agg(${SUBJECT}.${subjectColumn('n')})
    from ${from} cross join ${subjects} as ${SUBJECT}
    where ${condition} group by realtime_nth`;
}
