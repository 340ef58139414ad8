/** What other processes may know of a running stack, and how they stop it. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AlreadyRunningError } from './postgres/errors.ts';
import { processEnded } from './postgres/os-process.ts';
import { ownerOf } from './postgres/owner.ts';
import { removeShelteredData } from './postgres/place.ts';

const statusFile = z.object({
  apiUrl: z.string(),
  dbUrl: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  jwtSecret: z.string(),
  mailUrl: z.string(),
  pid: z.number(),
});

/** Addresses, keys and process of a running stack. */
export type StackStatus = z.infer<typeof statusFile>;

const fileOf = (dataDir: string) => join(dataDir, 'stack.json');

/** How long a stack may take to stop before `stopStack` gives up: longer than Postgres may. */
const STOP_PATIENCE_MS = 40_000;

/** The running stack of a folder; null if there is none, also if it died. */
export async function stackStatus(dataDir: string): Promise<StackStatus | null> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch(() => null);
  const owner = await ownerOf(dataDir);
  if (text === null || owner === null) return null;
  const status = statusFile.parse(JSON.parse(text));
  return status.pid === owner ? status : null;
}

/**
 * Asks the process of the folder's stack to end (SIGTERM) and waits until it has.
 * @returns false if there was none
 */
export async function stopStack(dataDir: string): Promise<boolean> {
  const owner = await ownerOf(dataDir);
  if (owner === null) return false;
  process.kill(owner, 'SIGTERM');
  if (!(await processEnded(owner, STOP_PATIENCE_MS))) {
    throw new Error(`The stack (pid ${owner}) did not stop within ${STOP_PATIENCE_MS / 1000} s.`);
  }
  return true;
}

/**
 * Removes everything that the stack keeps in the folder: data, keys, mails. Other files stay.
 * @throws AlreadyRunningError while it runs
 */
export async function resetStack(dataDir: string): Promise<void> {
  const owner = await ownerOf(dataDir);
  if (owner !== null) throw new AlreadyRunningError(dataDir, owner);
  await removeShelteredData(dataDir);
  const ours = ['postgres', 'keys.json', 'mail.json', 'stack.json', 'owner', 'data-mark'];
  for (const name of ours) await rm(join(dataDir, name), { recursive: true, force: true });
}

/** Keys are in it, so only its owner may read it. */
export async function writeStatus(dataDir: string, status: StackStatus): Promise<void> {
  const file = fileOf(dataDir);
  await writeFile(`${file}.new`, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Called when the stack stops. */
export async function forgetStatus(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}
