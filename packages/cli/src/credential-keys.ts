import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const keysFile = z.object({ keys: z.array(z.record(z.string(), z.string())).min(1) });

type KeysFile = z.infer<typeof keysFile>;

/** What every verifier of Open Badges knows is RS256; shorter keys are no longer taken. */
const MODULUS_BITS = 2048;

/**
 * The keys that certificates are signed with, as `CREDENTIAL_KEYS` takes them: made with the first
 * call and kept in the data folder. Only their owner may read the file.
 */
export async function credentialKeysOf(dataDir: string): Promise<string> {
  const kept = await read(dataDir);
  return JSON.stringify(kept ?? (await write(dataDir, { keys: [newKey()] })));
}

/**
 * Puts a new key first. Of the old ones the public half stays, so that what they have signed is still
 * verified; nothing is signed with them any more. Gives how many keys there are now.
 */
export async function rotateCredentialKey(dataDir: string): Promise<number> {
  const kept = await read(dataDir);
  const old = kept?.keys.map(({ kty = '', n = '', e = '' }) => ({ kty, n, e })) ?? [];
  const { keys } = await write(dataDir, { keys: [newKey(), ...old] });
  return keys.length;
}

function newKey(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS });
  return privateKey.export({ format: 'jwk' }) as Record<string, string>;
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'credential-keys.json');
}

async function read(dataDir: string): Promise<KeysFile | null> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = keysFile.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${fileOf(dataDir)} can't be understood. Put its copy back: with new keys, nobody could verify what was signed before.`,
  );
}

async function write(dataDir: string, keys: KeysFile): Promise<KeysFile> {
  const file = fileOf(dataDir);
  await mkdir(dataDir, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return keys;
}
