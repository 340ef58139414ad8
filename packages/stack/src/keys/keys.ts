/** The secrets of one stack: made once, kept in its data folder. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateApiKey } from '@supabase/lite';
import { z } from 'zod';

const keysFile = z.object({
  jwtSecret: z.string().min(32),
  publishableKey: z.string().startsWith('sb_publishable_'),
  secretKey: z.string().startsWith('sb_secret_'),
});

/** What clients and servers of the stack authenticate with. */
export type Keys = z.infer<typeof keysFile>;

/** New keys, of hosted Supabase's form. */
export async function generateKeys(): Promise<Keys> {
  const [publishable, secret] = await Promise.all([
    generateApiKey('publishable'),
    generateApiKey('secret'),
  ]);
  return {
    jwtSecret: randomBytes(40).toString('base64url'),
    publishableKey: publishable.key,
    secretKey: secret.key,
  };
}

/** The keys of a data folder, made with the first call. Only their owner may read the file. */
export async function keysOf(dataDir: string): Promise<Keys> {
  const file = join(dataDir, 'keys.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) {
    const parsed = keysFile.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new Error(`${file} can't be understood. Remove it to get new keys.`);
  }
  const keys = await generateKeys();
  await mkdir(dataDir, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return keys;
}
