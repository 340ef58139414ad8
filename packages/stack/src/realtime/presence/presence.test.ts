import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Presence, type Meta, type PresenceEntries } from './presence.ts';

/** What a client does with a diff: joins first, then leaves, matched by reference. */
function applyDiff(
  state: Map<string, Meta[]>,
  diff: { joins: PresenceEntries; leaves: PresenceEntries },
): void {
  for (const [key, { metas }] of Object.entries(diff.joins)) {
    const joined = new Set(metas.map((meta) => meta.phx_ref));
    const kept = (state.get(key) ?? []).filter((meta) => !joined.has(meta.phx_ref));
    state.set(key, [...kept, ...metas]);
  }
  for (const [key, { metas }] of Object.entries(diff.leaves)) {
    const left = new Set(metas.map((meta) => meta.phx_ref));
    const kept = (state.get(key) ?? []).filter((meta) => !left.has(meta.phx_ref));
    if (kept.length === 0) state.delete(key);
    else state.set(key, kept);
  }
}

function refsByKey(entries: [string, Meta[]][]): Record<string, string[]> {
  return Object.fromEntries(
    entries.map(([key, metas]) => [key, metas.map((m) => m.phx_ref).sort()]),
  );
}

function newPresence(): Presence<number> {
  let last = 0;
  return new Presence<number>(() => String((last += 1)));
}

it('leaves every client with the state, wherever between two changes a diff is taken', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('track'), who: fc.nat(5), state: fc.nat(2) }),
    fc.record({ kind: fc.constant('untrack'), who: fc.nat(5), state: fc.constant(0) }),
    fc.record({ kind: fc.constant('diff'), who: fc.constant(0), state: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const presence = newPresence();
      const client = new Map<string, Meta[]>();
      for (const { kind, who, state } of changes) {
        if (kind === 'track') presence.track(who, `key ${who % 3}`, { state });
        else if (kind === 'untrack') presence.untrack(who);
        else applyDiff(client, presence.takeDiff());
      }
      applyDiff(client, presence.takeDiff());
      const server = Object.entries(presence.state()).map(([key, { metas }]): [string, Meta[]] => [
        key,
        metas,
      ]);
      expect(refsByKey([...client])).toEqual(refsByKey(server));
    }),
  );
});

it('tells an update as a join that names what it replaces, and a leave of that', () => {
  const presence = newPresence();
  presence.track(1, 'a', { at: 1 });
  presence.takeDiff();
  presence.track(1, 'a', { at: 2 });
  expect(presence.takeDiff()).toEqual({
    joins: { a: { metas: [{ at: 2, phx_ref: '2', phx_ref_prev: '1' }] } },
    leaves: { a: { metas: [{ at: 1, phx_ref: '1' }] } },
  });
});

it('takes the same payload again for no change', () => {
  const presence = newPresence();
  presence.track(1, 'a', { at: 1 });
  presence.takeDiff();
  presence.track(1, 'a', { at: 1 });
  expect(presence.hasChanged).toBe(false);
});

it('does not tell of who came and went in between', () => {
  const presence = newPresence();
  presence.track(1, 'a', {});
  presence.untrack(1);
  expect(presence.hasChanged).toBe(false);
});

it('keeps the references to itself, whatever a client claims', () => {
  const presence = newPresence();
  presence.track(1, '__proto__', { phx_ref: 'forged', phx_ref_prev: 'forged' });
  expect(Object.entries(presence.state())).toEqual([['__proto__', { metas: [{ phx_ref: '1' }] }]]);
});
