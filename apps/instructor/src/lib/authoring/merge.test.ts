import fc from 'fast-check';
import { expect, it } from 'vitest';
import { merge, settled } from './merge.ts';

const base = { title: 'Bread', content: 'Flour.', minutes: 5 };

it('takes from each author what only they have changed, and names what both have', () => {
  const mine = { title: 'Good bread', content: 'Flour, water.', minutes: 5 };
  const theirs = { title: 'Bread', content: 'Flour and salt.', minutes: 8 };
  const merged = merge(base, mine, theirs);
  expect(merged).toEqual({
    fields: { title: 'Good bread', content: 'Flour, water.', minutes: 8 },
    clashes: ['content'],
  });
  expect(settled(merged, theirs, { content: 'theirs' }).content).toBe('Flour and salt.');
  expect(settled(merged, theirs, {}).content).toBe('Flour, water.');
  expect(settled(merged, theirs, { content: 'both' }).content).toBe(
    'Flour and salt.\n\nFlour, water.',
  );
});

it('loses nothing: whatever an author has changed is in the result, or named', () => {
  const fields = fc.record({ a: fc.nat(2), b: fc.nat(2), c: fc.array(fc.nat(1)) });
  fc.assert(
    fc.property(fields, fields, fields, (old, mine, theirs) => {
      const merged = merge(old, mine, theirs);
      for (const name of ['a', 'b', 'c'] as const) {
        const result = JSON.stringify(merged.fields[name]);
        const [before, one, other] = [old, mine, theirs].map((all) => JSON.stringify(all[name]));
        const isNamed = merged.clashes.includes(name);
        expect(isNamed).toBe(one !== before && other !== before && one !== other);
        if (one !== before) expect(result).toBe(one);
        else expect(result).toBe(other);
      }
    }),
  );
});
