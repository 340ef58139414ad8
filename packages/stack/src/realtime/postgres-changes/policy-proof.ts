/**
 * Which rows of a table may a role see, as conditions in which the user is a row beside it and not
 * a setting of the session? Only where that is provably the same: where the policies read nothing
 * but rows, constants, claims by `auth.uid()` and its like, and functions of Postgres itself that
 * look at no setting. Everything else is asked user by user (`visibility.ts`).
 */
import pg from 'pg';
import {
  alternatives,
  askOfSubject,
  CLAIM_FUNCTIONS,
  readTables,
  tokenize,
  unwrapSelects,
} from './policy-text.ts';

/** Conditions of which one must hold, and how to tell whether they are still the right ones. */
export type Proof = {
  /** Empty: nobody sees anything. */
  anyOf: readonly string[];
  /** SQL of a text that changes when policies, rights or tables that were looked at do. */
  fingerprint: string;
  /** That text as of the proof. */
  version: string;
};

type Policy = { permissive: boolean; condition: string; tree: string };
type ReadRelation = {
  oid: number;
  namespace: number;
  is_plain: boolean;
  may_read: boolean;
  is_guarded: boolean;
  policies: Policy[];
};

/** Nothing is proven; the message says what stands in the way. */
class Unproven extends Error {}

/** `has_privs_of_role` decides on both sides of the policy, as Postgres does. */
const RELATION = `
  select c.oid::int8::float8 as oid, n.oid::int8::float8 as namespace, c.relkind in ('r', 'p') as is_plain,
    has_table_privilege(r.oid, c.oid, 'select') and has_schema_privilege(r.oid, n.oid, 'usage') as may_read,
    c.relrowsecurity and not (r.rolsuper or r.rolbypassrls
      or (pg_has_role(r.oid, c.relowner, 'usage') and not c.relforcerowsecurity)) as is_guarded,
    coalesce((
      select jsonb_agg(jsonb_build_object('permissive', p.polpermissive,
        'condition', pg_get_expr(p.polqual, p.polrelid), 'tree', p.polqual::text))
      from pg_policy p
      where p.polrelid = c.oid and p.polcmd in ('r', '*') and p.polqual is not null
        and exists (select from unnest(p.polroles) as t(oid) where t.oid = 0 or pg_has_role(r.oid, t.oid, 'usage'))
    ), '[]') as policies
  from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_roles r
  where n.nspname = $1 and c.relname = $2 and r.rolname = $3`;

/** Those of Postgres' own functions that tell what session, user or moment of reading it is. */
const SETTINGS =
  '^(current_|session_|pg_|has_|row_security|inet_|set_|lo_|query_to|table_to|schema_to|database_to|cursor_to)';
/** Functions, also those behind operators, that a condition may not use. */
const STRANGE_FUNCTIONS = `
  select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where p.oid in (
      select unnest($1::oid[]) union select oprcode::oid from pg_operator where oid = any($2::oid[])
    )
    and not (n.nspname = 'auth' and p.proname = any($3) and p.pronargs = 0
      and has_function_privilege($5, p.oid, 'execute'))
    and not (n.nspname = 'pg_catalog' and not p.proretset and p.prokind = 'f'
      and p.provolatile <> 'v' and p.proname !~ $4)`;

/** Kinds of nodes in a stored condition that mean the same in any query. */
const KNOWN_NODES = new Set(
  (
    'ALIAS ARRAYEXPR BOOLEANTEST BOOLEXPR CASEEXPR CASETESTEXPR CASEWHEN COALESCEEXPR COERCEVIAIO CONST ' +
    'DISTINCTEXPR FROMEXPR FUNCEXPR MINMAXEXPR NULLIFEXPR NULLTEST OPEXPR PARAM QUERY RANGETBLENTRY ' +
    'RANGETBLREF RELABELTYPE RTEPERMISSIONINFO SCALARARRAYOPEXPR SUBLINK TARGETENTRY VAR'
  ).split(' '),
);

/** Proves what it can; null where it can't. `client` is used alone meanwhile. */
export async function provePolicies(
  client: pg.Client,
  table: { schema: string; name: string },
  role: string,
): Promise<Proof | null> {
  // Without a search path every name is written with its schema.
  await client.query(`begin isolation level repeatable read; set local search_path = ''`);
  try {
    const proof = new Prover(client, role);
    const anyOf = await proof.conditionsOf(table.schema, table.name, []);
    return { anyOf, fingerprint: proof.fingerprint(), version: await proof.version() };
  } catch (error) {
    if (error instanceof Unproven) return null;
    throw error;
  } finally {
    await client.query('rollback');
  }
}

class Prover {
  readonly #client: pg.Client;
  readonly #role: string;
  readonly #relations = new Set<number>();
  readonly #namespaces = new Set<number>();
  readonly #functions = new Set<number>();

  constructor(client: pg.Client, role: string) {
    this.#client = client;
    this.#role = role;
  }

  /** What a table's policies say for the role. `within` are the tables whose policies led here. */
  async conditionsOf(schema: string, name: string, within: readonly number[]): Promise<string[]> {
    const { rows } = await this.#client.query<ReadRelation>(RELATION, [schema, name, this.#role]);
    const relation = rows[0];
    if (relation === undefined) throw new Unproven(`${schema}.${name} or the role is gone`);
    const { oid, is_plain: isPlain, may_read: mayRead, is_guarded: isGuarded } = relation;
    if (!isPlain || !mayRead || within.includes(oid)) throw new Unproven(`${schema}.${name}`);
    this.#relations.add(oid);
    this.#namespaces.add(relation.namespace);
    if (!isGuarded) return ['true'];
    const here = [...within, oid];
    const required: string[] = [];
    const allowing: string[] = [];
    for (const policy of relation.policies) {
      const tokens = await this.#rewritten(policy, here);
      if (!policy.permissive) required.push(tokens.join(' '));
      else allowing.push(...alternatives(tokens).map((one) => one.join(' ')));
    }
    return allowing.map((one) => [one, ...required].map((text) => `( ${text} )`).join(' AND '));
  }

  async #rewritten({ condition, tree }: Policy, within: readonly number[]): Promise<string[]> {
    await this.#checkNodes(tree);
    const tokens = askOfSubject(unwrapSelects(tokenize(condition)));
    const tables = readTables(tokens);
    // Every source of rows must have been understood: joins, for one, are not.
    if (tables.length !== count(tree, /:rtekind /g)) throw new Unproven('sources of rows');
    for (const table of tables.reverse()) {
      const conditions = await this.conditionsOf(table.schema, table.name, within);
      if (conditions.length === 1 && conditions[0] === 'true') continue;
      const nested = conditions.map((one) => `( ${one} )`).join(' OR ') || 'false';
      // It may name its table, which stands here under another name.
      if (table.alias !== table.name && nested.includes(' SELECT ')) throw new Unproven('an alias');
      tokens.splice(table.at + 1, 0, ...tokenize(table.put(nested)));
    }
    return tokens;
  }

  async #checkNodes(tree: string): Promise<void> {
    // Texts within constants are written as numbers, so a brace always opens a node.
    for (const [, node = ''] of tree.matchAll(/\{([A-Z]+)/g)) {
      if (!KNOWN_NODES.has(node)) throw new Unproven(node);
    }
    const functions = numbers(tree, /:(?:funcid|opfuncid) (\d+)/g);
    for (const oid of functions) this.#functions.add(oid);
    const { rows } = await this.#client.query<{ name: string }>(STRANGE_FUNCTIONS, [
      functions,
      numbers(tree, /:opno (\d+)/g),
      CLAIM_FUNCTIONS,
      SETTINGS,
      this.#role,
    ]);
    if (rows[0] !== undefined) throw new Unproven(rows[0].name);
  }

  async version(): Promise<string> {
    const { rows } = await this.#client.query<{ version: string }>(
      `select ${this.fingerprint()} as version`,
    );
    return rows[0]?.version ?? '';
  }

  /** One number out of the versions of all catalog rows that the conditions were made from. */
  fingerprint(): string {
    const relations = [...this.#relations].join();
    const functions = [...this.#functions, 0].join();
    const rows = [
      `pg_policy where polrelid in (${relations})`,
      `pg_class where oid in (${relations})`,
      `pg_namespace where oid in (${[...this.#namespaces].join()})`,
      `pg_proc where oid in (${functions}) and oid >= 16384`,
      `pg_authid where rolname = ${pg.escapeLiteral(this.#role)}`,
      'pg_auth_members',
    ];
    const union = rows
      .map((from) => `select oid, xmin from pg_catalog.${from}`)
      .join(' union all ');
    return `(select bit_xor(hashint8extended(oid::int8, xmin::text::int8))::text from (${union}) as catalog_rows)`;
  }
}

function numbers(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map((match) => Number(match[1]));
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
