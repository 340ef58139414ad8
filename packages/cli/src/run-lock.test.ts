import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { acquireRunLock } from './run-lock.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'homeroom-lock-'));

it('refuses while a living process runs on the same data', async () => {
  const folder = await newFolder();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
  await once(other, 'spawn');
  await writeFile(join(folder, 'homeroom.pid'), String(other.pid));
  await expect(acquireRunLock(folder)).rejects.toThrow(
    `already running on this data (process ${other.pid})`,
  );
  other.kill();
});

it('takes over what a dead process left behind', async () => {
  const folder = await newFolder();
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  await writeFile(join(folder, 'homeroom.pid'), String(dead.pid));
  await using lock = await acquireRunLock(folder);
  expect(lock).toBeDefined();
  expect(await readFile(join(folder, 'homeroom.pid'), 'utf8')).toBe(String(process.pid));
});
