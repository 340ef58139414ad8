import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findBinaries, shelteredCopy } from './binaries.ts';
import { isReachableBy, postgresUser } from './os-user.ts';

const run = promisify(execFile);
let shelter: string;

beforeEach(async () => {
  shelter = await mkdtemp(join(tmpdir(), 'binaries-test-'));
  await chmod(shelter, 0o755);
});

afterEach(() => rm(shelter, { recursive: true }));

it('copies programs that cannot be reached, once, to where their user can run them', async () => {
  const user = await postgresUser(() => undefined);
  const { binaries, version } = await findBinaries();
  const said: string[] = [];
  const copy = await shelteredCopy(binaries, version, shelter, (message) => said.push(message));
  const { stdout } = await run(copy.postgres, ['--version'], { ...user.ids, cwd: '/' });
  expect(stdout).toContain('PostgreSQL) 17');
  expect(copy.postgres.startsWith(shelter)).toBe(true);
  await Promise.all(
    [1, 2].map(() => shelteredCopy(binaries, version, shelter, (message) => said.push(message))),
  );
  expect(said).toHaveLength(1);
});

it('does not run what somebody else may have put there', async () => {
  const { binaries, version } = await findBinaries();
  const copy = await shelteredCopy(binaries, version, shelter, () => undefined);
  await chmod(copy.root, 0o777);
  await expect(shelteredCopy(binaries, version, shelter, () => undefined)).rejects.toThrow(
    "isn't ours",
  );
});

it('knows whether another user can pass through all folders', async () => {
  const stranger = { name: 'stranger', ids: { uid: 65_534, gid: 65_534 } };
  await mkdir(join(shelter, 'closed', 'open'), { recursive: true });
  expect(await isReachableBy(stranger, join(shelter, 'closed', 'open', 'file'))).toBe(true);
  await chmod(join(shelter, 'closed'), 0o700);
  expect(await isReachableBy(stranger, join(shelter, 'closed', 'open', 'file'))).toBe(false);
  expect(await isReachableBy({ name: 'you', ids: {} }, join(shelter, 'closed', 'open'))).toBe(true);
});
