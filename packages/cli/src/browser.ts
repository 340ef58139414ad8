import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Programs that speak Chromium's debugging protocol, the likeliest first. */
const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Places outside of PATH where people have one. */
const places = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/**
 * Finds a Chromium for the browser tests, and installs Debian's where that is possible.
 * @returns the path of its program; `CHROMIUM_PATH` is taken as it is.
 * @throws Error of one line which says how to get one.
 */
export async function findBrowser(): Promise<string> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const found = await installedBrowser();
  if (found !== null) return found;
  if (process.getuid?.() === 0 && (await isExecutable('/usr/bin/apt-get'))) {
    console.log('Installing Chromium for the browser tests…');
    await run('apt-get', ['update', '-qq']);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    });
    const installed = await installedBrowser();
    if (installed !== null) return installed;
  }
  throw new Error(
    'The browser tests need Chromium: install it (Debian: sudo apt-get install chromium) or name one with CHROMIUM_PATH=<program>.',
  );
}

async function installedBrowser(): Promise<string | null> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = programs.flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const path of [...candidates, ...places]) {
    if (await isExecutable(path)) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
