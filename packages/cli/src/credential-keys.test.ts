import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { credentialKeysOf, rotateCredentialKey } from './credential-keys.ts';

type KeySet = { keys: Record<string, string>[] };

it('keeps the keys over restarts, and of the old ones only what verifies', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'homeroom-keys-'));
  try {
    const first = JSON.parse(await credentialKeysOf(dataDir)) as KeySet;
    expect(JSON.parse(await credentialKeysOf(dataDir))).toEqual(first);
    const { mode } = await stat(join(dataDir, 'credential-keys.json'));
    expect(mode & 0o077).toBe(0);
    expect(await rotateCredentialKey(dataDir)).toBe(2);
    const [signing, old] = (JSON.parse(await credentialKeysOf(dataDir)) as KeySet).keys;
    expect(signing?.d).toBeDefined();
    expect(signing?.n).not.toBe(first.keys[0]?.n);
    expect(old).toEqual({ kty: 'RSA', n: first.keys[0]?.n, e: first.keys[0]?.e });
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
