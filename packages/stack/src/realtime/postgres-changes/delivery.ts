/** From captured changes to the sockets of those who may see them, in commit order. */
import type pg from 'pg';
import type { Channel } from '../channel/channel.ts';
import { encodeMessage } from '../codec/server-message.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Claims } from '../token/verifier.ts';
import { getOr, type Binding } from './bindings.ts';
import { trueOnes } from './conditions.ts';
import { FilterError } from './filter.ts';
import { compileFilters, matches, type Condition } from './match.ts';
import { changeJson, errorJson, type CapturedChange } from './payload.ts';
import type { Table, TableColumn, Tables } from './table.ts';
import type { Seers, Visibility } from './visibility.ts';

/** A change that waits, with the bindings that it may concern. */
export type Waiting = { change: CapturedChange; table: Table | null; bindings: readonly Binding[] };

type Parts = {
  pool: pg.Pool;
  tables: Tables;
  visibility: Visibility;
  changeBytes: number;
  meter: Meter;
};
/** Judged: which bindings a change meets, and which claims see its row. */
type Judged = {
  change: CapturedChange;
  table: Table;
  bindings: Binding[];
  key: string[] | null;
};

type Message = { event: string; data: string; channels: Audience['channels'] };

const NO_PRIMARY_KEY = 'Error 400: Bad Request, no primary key';
const UNAUTHORIZED = 'Error 401: Unauthorized';

/**
 * Judges a batch (few round trips, however many changes), then sends it in order. Nothing is sent
 * before all is known, so that a batch which failed can be delivered again.
 */
export async function deliver(parts: Parts, batch: readonly Waiting[]): Promise<void> {
  const judged = await filtered(parts.pool, batch);
  const seen = await whoSees(parts, judged);
  const messages: Message[] = [];
  for (const one of judged) {
    for (const audience of audiences(one.bindings, seen.get(one) ?? null)) {
      const data = await dataFor(parts, one, audience);
      messages.push({ event: one.change.kind, data, channels: audience.channels });
    }
  }
  for (const message of messages) {
    parts.meter.changesOut += message.channels.size;
    send(message);
  }
}

/** The changes with those of their bindings whose filters they meet; the rest is left out. */
async function filtered(pool: pg.Pool, batch: readonly Waiting[]): Promise<Judged[]> {
  const decided: (Judged & { open: { binding: Binding; condition: string }[] })[] = [];
  for (const { change, table, bindings } of batch) {
    if (table === null) continue;
    const one = { change, table, bindings: [] as Binding[], key: rowKey(change, table), open: [] };
    await decide(pool, one, bindings);
    decided.push(one);
  }
  const conditions = new Set(decided.flatMap(({ open }) => open.map(({ condition }) => condition)));
  const holding = await trueOnes(pool, conditions);
  for (const { bindings, open } of decided) {
    for (const { binding, condition } of open) if (holding.has(condition)) bindings.push(binding);
  }
  return decided.filter(({ bindings }) => bindings.length > 0);
}

/** Puts each binding to those that are met, or to those that Postgres has to decide. */
async function decide(
  pool: pg.Pool,
  to: Judged & { open: { binding: Binding; condition: string }[] },
  bindings: readonly Binding[],
): Promise<void> {
  const row = to.change.record ?? to.change.oldRecord ?? new Map();
  for (const binding of bindings) {
    const known = binding.filters.length === 0 ? [] : binding.conditions.get(to.table);
    const conditions = known === undefined ? await conditionsFor(pool, binding, to.table) : known;
    if (conditions === null) continue;
    const verdict = matches(conditions, row);
    if (verdict === true) to.bindings.push(binding);
    else if (verdict !== false) to.open.push({ binding, condition: verdict });
  }
}

async function conditionsFor(
  pool: pg.Pool,
  binding: Binding,
  table: Table,
): Promise<Condition[] | null> {
  const conditions = await compileFilters(pool, table, binding.filters).catch((error: unknown) => {
    // A wildcard binding may meet tables that its filter doesn't fit.
    if (error instanceof FilterError) return null;
    throw error;
  });
  binding.conditions.set(table, conditions);
  return conditions;
}

/** The primary key of the row to be judged; null where nothing is judged by row. */
function rowKey(change: CapturedChange, table: Table): string[] | null {
  if (change.kind === 'DELETE' || !table.hasRowSecurity || table.primaryKey.length === 0)
    return null;
  const values = table.primaryKey.map(({ name }) => change.record?.get(name));
  return values.every((value) => typeof value === 'string') ? values : null;
}

/** Asks row level security once per table, for all rows and all distinct claims of the batch. */
async function whoSees(
  { visibility, meter }: Parts,
  judged: readonly Judged[],
): Promise<Map<Judged, Seers>> {
  const seers = new Map<Judged, Seers>();
  for (const [table, ofTable] of Map.groupBy(judged, (one) => one.table)) {
    const asked = ofTable.filter((one) => one.key !== null);
    const bindings = new Set(asked.flatMap((one) => one.bindings));
    const claims = new Set([...bindings].flatMap((binding) => [...binding.subscribers.keys()]));
    const rows = asked.map((one) => ({ key: one.key ?? [], xid: one.change.xid }));
    meter.rowChecks += rows.length * claims.size;
    const seen = await visibility.visible(table, rows, [...claims]);
    asked.forEach((one, n) => seers.set(one, seen[n] ?? NOBODY));
  }
  return seers;
}

const NOBODY: Seers = { roles: new Set(), claims: new Set() };

/** Ids of a channel's bindings that a change meets, by the columns that they asked for. */
type Audience = {
  select: readonly string[] | null;
  role: string;
  channels: Map<Channel, number[]>;
};

function send({ event, data, channels }: Message): void {
  const frames = new Map<string, Buffer>();
  for (const [channel, ids] of channels) {
    channel.connection.queue(frameFor(frames, channel, ids, { event, data }));
  }
}

/** `seers` is null where everybody may see the change. */
function audiences(bindings: readonly Binding[], seers: Seers | null): Iterable<Audience> {
  const audiences = new Map<string, Audience>();
  for (const { select, subscribers } of bindings) {
    const ofRole = new Map<string, Audience>();
    for (const [{ role }, channels] of seeing(subscribers, seers)) {
      const audience = getOr(ofRole, role, () =>
        getOr(audiences, JSON.stringify([role, select]), () => ({
          select,
          role,
          channels: new Map<Channel, number[]>(),
        })),
      );
      for (const [channel, ids] of channels) {
        const known = audience.channels.get(channel);
        audience.channels.set(channel, known === undefined ? ids : [...known, ...ids]);
      }
    }
  }
  return audiences.values();
}

type Subscribers = Binding['subscribers'];

/** Those of the subscribers who see it; goes through the shorter of both lists. */
function* seeing(
  subscribers: Subscribers,
  seers: Seers | null,
): Iterable<[Claims, Map<Channel, number[]>]> {
  if (seers === null) {
    yield* subscribers;
  } else if (seers.roles.size === 0 && seers.claims.size < subscribers.size) {
    for (const claims of seers.claims) {
      const channels = subscribers.get(claims);
      if (channels !== undefined) yield [claims, channels];
    }
  } else {
    for (const entry of subscribers) {
      const [claims] = entry;
      if (seers.roles.has(claims.role) || seers.claims.has(claims)) yield entry;
    }
  }
}

async function dataFor(
  { tables, changeBytes }: Parts,
  { change, table }: Judged,
  { role, select }: Audience,
): Promise<string> {
  if (table.primaryKey.length === 0) return errorJson(change, NO_PRIMARY_KEY);
  const selectable = await tables.selectable(table.oid, role);
  if (!table.primaryKey.every(({ name }) => selectable.has(name))) {
    return errorJson(change, UNAUTHORIZED);
  }
  const isAsked = ({ name, isPrimaryKey }: TableColumn): boolean =>
    select === null || isPrimaryKey || select.includes(name);
  const cut = change.kind === 'DELETE' && table.hasRowSecurity ? keyOnly(change, table) : change;
  return changeJson(
    cut,
    table,
    (column) => selectable.has(column.name) && isAsked(column),
    changeBytes,
  );
}

/** Of a deleted row nobody can tell who might have seen it: the key is all that is told. */
function keyOnly(change: CapturedChange, table: Table): CapturedChange {
  const keys = table.primaryKey.map(({ name }) => [name, change.oldRecord?.get(name)] as const);
  return { ...change, oldRecord: new Map(keys) };
}

function frameFor(
  frames: Map<string, Buffer>,
  { name: topic, version, config: { isLegacy } }: Channel,
  ids: number[],
  change: { event: string; data: string },
): Buffer {
  const key = `${version} ${isLegacy} ${ids.join()} ${topic}`;
  let frame = frames.get(key);
  if (frame === undefined) {
    const body = isLegacy
      ? { event: change.event, payload: change.data }
      : { event: 'postgres_changes', payload: `{"ids":[${ids.join(',')}],"data":${change.data}}` };
    const envelope = { joinRef: null, ref: null, topic, ...body };
    frames.set(key, (frame = encodeMessage(version, envelope)));
  }
  return frame;
}
