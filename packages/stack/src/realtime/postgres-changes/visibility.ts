/** Row level security: which of these rows may these claims see? Asked of Postgres itself. */
import type pg from 'pg';
import { isUnavailable } from '../database-fault.ts';
import type { Claims } from '../token/verifier.ts';
import type { Judge } from './judge.ts';
import { askOneByOne } from './one-by-one.ts';
import type { JudgedRow } from './row-keys.ts';
import type { Table } from './table.ts';
import { AskTogether } from './together.ts';

/** Up to so many claims it is cheaper to ask for each. */
const FEW = 12;

/** Who sees one row. */
export type Seers = {
  /** Roles of which everybody does. */
  readonly roles: ReadonlySet<string>;
  readonly claims: ReadonlySet<Claims>;
};

type OpenSeers = { roles: Set<string>; claims: Set<Claims> };
type Prepared = { table: Table; name: string; asking: AskTogether | null };

/**
 * Asks for many rows and many claims in one round trip per role. Where the policies allow it (see
 * `policy-proof.ts`) all users are one join; otherwise each distinct set of claims is asked once,
 * however many sockets have it. The rows are judged as they are now, as upstream does.
 */
export class Visibility {
  readonly #judge: Judge;
  readonly #prepared = new WeakMap<pg.Client, Map<string, Prepared>>();
  readonly #log: (message: string) => void;

  constructor(judge: Judge, log: (message: string) => void) {
    this.#judge = judge;
    this.#log = log;
  }

  /** For each of the rows, in their order, who of the claims sees it. One call at a time. */
  async visible(
    table: Table,
    rows: readonly JudgedRow[],
    claims: readonly Claims[],
  ): Promise<Seers[]> {
    const seers = rows.map((): OpenSeers => ({ roles: new Set(), claims: new Set() }));
    if (rows.length === 0 || claims.length === 0) return seers;
    const client = await this.#judge.connection();
    for (const [role, ofRole] of Map.groupBy(claims, (one) => one.role)) {
      const rest =
        ofRole.length > FEW ? await this.#together(client, table, rows, ofRole, seers) : ofRole;
      if (rest.length === 0) continue;
      for (const { claims: one, row } of await askOneByOne(client, table, rows, role, rest)) {
        seers[row]?.claims.add(one);
      }
    }
    return seers;
  }

  /** Gives those who are left to be asked one by one. */
  async #together(
    client: pg.Client,
    table: Table,
    rows: readonly JudgedRow[],
    claims: readonly Claims[],
    seers: readonly OpenSeers[],
  ): Promise<readonly Claims[]> {
    const role = claims[0]?.role ?? '';
    try {
      const answer = await this.#ask(client, table, role, rows, claims);
      if (answer === null) return claims;
      for (const [row, viewers] of answer.viewers) {
        if (viewers === 'everybody') seers[row]?.roles.add(role);
        else for (const one of viewers) seers[row]?.claims.add(one);
      }
      // Of a policy that is true for everybody, it is true for them too: asked all the same.
      return answer.failing;
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#log(`${table.schema}.${table.name} is asked user by user: ${reason}`);
      this.#remember(client, table, role, null);
      return claims;
    }
  }

  async #ask(
    client: pg.Client,
    table: Table,
    role: string,
    rows: readonly JudgedRow[],
    claims: readonly Claims[],
  ): ReturnType<AskTogether['ask']> {
    const known = this.#tables(client).get(keyOf(table, role));
    const isKnown = known?.table === table;
    const asking = isKnown ? known.asking : await this.#prepare(client, table, role);
    const answer = await asking?.ask(rows, claims);
    if (answer) return answer;
    if (answer === undefined) return null;
    const renewed = await this.#prepare(client, table, role);
    return (await renewed?.ask(rows, claims)) ?? null;
  }

  async #prepare(client: pg.Client, table: Table, role: string): Promise<AskTogether | null> {
    const tables = this.#tables(client);
    const name =
      tables.get(keyOf(table, role))?.name ?? `realtime_seen_${table.oid}_${tables.size}`;
    const asking = await AskTogether.prepare(client, table, role, name);
    tables.set(keyOf(table, role), { table, name, asking });
    return asking;
  }

  #remember(client: pg.Client, table: Table, role: string, asking: null): void {
    const known = this.#tables(client).get(keyOf(table, role));
    const name = known?.name ?? `realtime_seen_${table.oid}_${this.#tables(client).size}`;
    this.#tables(client).set(keyOf(table, role), { table, name, asking });
  }

  #tables(client: pg.Client): Map<string, Prepared> {
    let tables = this.#prepared.get(client);
    if (tables === undefined) {
      this.#prepared.set(client, (tables = new Map<string, Prepared>()));
    }
    return tables;
  }
}

function keyOf(table: Table, role: string): string {
  return `${table.oid} ${role}`;
}
