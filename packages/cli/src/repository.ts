import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** The folder that this repository was cloned into, without a trailing slash. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(
  /[/\\]$/,
  '',
);

/** An absolute path inside the repository. */
export function inRepository(...parts: string[]): string {
  return join(repositoryRoot, ...parts);
}
