import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';

it('writes one line per finished step where there is no terminal', () => {
  let written = '';
  let time = 0;
  const progress = createProgress(
    { write: (text: string | Uint8Array) => ((written += String(text)), true), isTTY: false },
    () => time,
  );
  progress.step('Starting the database');
  progress.detail('creating its files');
  time = 1500;
  progress.step('Building the portals');
  time = 3500;
  progress.fail();
  expect(written).toBe('✓ Starting the database (1.5 s)\n✗ Building the portals (2.0 s)\n');
});
