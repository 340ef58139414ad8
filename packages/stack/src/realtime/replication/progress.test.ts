import { expect, it } from 'vitest';
import fc from 'fast-check';
import { lsnText, Progress } from './progress.ts';

it('tells every change once, wherever the log is cut', () => {
  const log = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 10 });
  fc.assert(
    fc.property(log, cuts, (sizes, cuts) => {
      const progress = new Progress();
      const told: string[] = [];
      for (const steps of [...cuts, Infinity]) read(progress, sizes, steps, told);
      expect(told).toEqual(sizes.flatMap((size, n) => changesOf(n, size)));
      expect(progress.position).toBe(sizes.length === 0 ? 0n : BigInt(sizes.length * 10));
    }),
  );
});

/** Reads from where the progress is, until so many messages have come. Transaction n ends at 10n. */
function read(progress: Progress, sizes: number[], steps: number, told: string[]): void {
  let left = steps;
  const comes = (): boolean => (left -= 1) >= 0;
  for (const [n, size] of sizes.entries()) {
    const end = BigInt((n + 1) * 10);
    if (end <= progress.position) continue;
    if (!comes()) return;
    progress.begin(end - 1n);
    for (const change of changesOf(n, size)) {
      if (!comes()) return;
      if (progress.isNew()) told.push(change);
    }
    if (!comes()) return;
    progress.commit(end);
  }
}

function changesOf(transaction: number, size: number): string[] {
  return Array.from({ length: size }, (_, n) => `${transaction}.${n}`);
}

it('passes over what is not for us, but not within a transaction', () => {
  const progress = new Progress();
  progress.passed(5n);
  progress.begin(20n);
  progress.passed(30n);
  expect(progress.position).toBe(5n);
  progress.commit(21n);
  expect(progress.position).toBe(21n);
});

it('writes positions as Postgres does', () => {
  expect(lsnText(0x16_b374_d848n)).toBe('16/B374D848');
  expect(lsnText(0n)).toBe('0/0');
});
