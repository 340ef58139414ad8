/** Who listens to which changes: one entry per distinct binding, however many channels share it. */
import type { Channel } from '../channel/channel.ts';
import type { BindingParams } from '../channel/join-config.ts';
import type { ChangeKind, Relation } from '../replication/pgoutput.ts';
import type { Claims } from '../token/verifier.ts';
import type { Filter } from './filter.ts';
import type { Condition } from './match.ts';
import type { Table } from './table.ts';

/** What a binding asks for; `*` stands for all. */
export type Wish = {
  event: ChangeKind | '*';
  schema: string;
  table: string;
  filters: Filter[];
  filterText: string;
  /** Columns asked for, or null for all. */
  select: readonly string[] | null;
};

/** One distinct wish, and everyone who has it. */
export type Binding = Wish & {
  /** Changes whenever a channel comes or goes. */
  subscribers: Map<Claims, Map<Channel, number[]>>;
  /** The filters made ready for a table; null where they don't fit it. */
  conditions: WeakMap<Table, Condition[] | null>;
};

/** The bindings that changes of a table may concern. */
type Found = Partial<Record<ChangeKind, readonly Binding[]>>;
const NONE: readonly Binding[] = [];

/** Reads what the client wrote. Wrong events mean all, as upstream; null without schema and table. */
export function readWish(params: BindingParams, filters: Filter[]): Wish | null {
  const { schema, table, filter, event, select } = params;
  if (typeof schema !== 'string' && typeof table !== 'string') return null;
  return {
    event: readEvent(event),
    schema: typeof schema === 'string' ? schema : 'public',
    table: typeof table === 'string' ? table : '*',
    filters,
    filterText: typeof filter === 'string' ? filter : '',
    select: Array.isArray(select) ? select.filter((name) => typeof name === 'string') : null,
  };
}

function readEvent(event: unknown): Wish['event'] {
  const upper = typeof event === 'string' ? event.toUpperCase() : '*';
  return upper === 'INSERT' || upper === 'UPDATE' || upper === 'DELETE' ? upper : '*';
}

export class Bindings {
  readonly #byTable = new Map<string, Map<string, Binding>>();
  readonly #ofChannel = new Map<Channel, { tableKey: string; key: string; claims: Claims }[]>();
  /** Found for the tables that the log tells of, until a binding comes or goes. */
  #found = new WeakMap<Relation, Found>();

  /** Adds one binding of a channel, under its claims of now. */
  add(channel: Channel, wish: Wish, id: number): void {
    const { claims } = channel;
    this.#found = new WeakMap();
    const tableKey = keyOf(wish.schema, wish.table);
    const key = JSON.stringify([wish.event, wish.filterText, wish.select]);
    const ofTable = getOr(this.#byTable, tableKey, () => new Map<string, Binding>());
    const binding = getOr(ofTable, key, () => newBinding(wish));
    const channels = getOr(binding.subscribers, claims, () => new Map<Channel, number[]>());
    getOr(channels, channel, (): number[] => []).push(id);
    getOr(this.#ofChannel, channel, () => []).push({ tableKey, key, claims });
  }

  /** Removes all bindings of a channel. */
  remove(channel: Channel): void {
    for (const { tableKey, key, claims } of this.#ofChannel.get(channel) ?? []) {
      const ofTable = this.#byTable.get(tableKey);
      const binding = ofTable?.get(key);
      const channels = binding?.subscribers.get(claims);
      channels?.delete(channel);
      if (channels?.size === 0) binding?.subscribers.delete(claims);
      if (binding?.subscribers.size === 0) ofTable?.delete(key);
      if (ofTable?.size === 0) this.#byTable.delete(tableKey);
    }
    if (this.#ofChannel.delete(channel)) this.#found = new WeakMap();
  }

  /** Every channel that has bindings. */
  channels(): Iterable<Channel> {
    return this.#ofChannel.keys();
  }

  /** Every binding that a change of this kind in this table may concern. */
  for(relation: Relation, kind: ChangeKind): readonly Binding[] {
    if (this.#byTable.size === 0) return NONE;
    let found = this.#found.get(relation);
    if (found === undefined) this.#found.set(relation, (found = {}));
    return (found[kind] ??= this.#find(relation, kind));
  }

  #find({ schema, name }: Relation, kind: ChangeKind): Binding[] {
    const found: Binding[] = [];
    for (const key of [
      keyOf(schema, name),
      keyOf(schema, '*'),
      keyOf('*', name),
      keyOf('*', '*'),
    ]) {
      for (const binding of this.#byTable.get(key)?.values() ?? []) {
        if (binding.event === '*' || binding.event === kind) found.push(binding);
      }
    }
    return found;
  }
}

function newBinding(wish: Wish): Binding {
  return { ...wish, subscribers: new Map(), conditions: new WeakMap() };
}

function keyOf(schema: string, table: string): string {
  return JSON.stringify([schema, table]);
}

/** The value of a key, made when it isn't there yet. */
export function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
