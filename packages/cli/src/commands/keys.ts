import { rotateCredentialKey } from '../credential-keys.ts';
import { readSettings } from '../settings.ts';

const usage = 'pnpm keys rotate';

/** `rotate` makes a new key for signing certificates, from the next start on. */
export async function keys([subcommand]: string[]): Promise<number> {
  if (subcommand !== 'rotate') {
    console.error(usage);
    return 2;
  }
  const count = await rotateCredentialKey(readSettings(process.env).dataDir);
  console.log(
    `The next start signs with a new key; what the ${count - 1} before it have signed is still verified.`,
  );
  return 0;
}
