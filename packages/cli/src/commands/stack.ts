import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { jobs } from '@homeroom/db';
import { machineLimits, resetStack, stackStatus, startStack, stopStack } from '@homeroom/stack';
import { createProgress } from '../progress.ts';
import { readSettings } from '../settings.ts';

const usage = 'pnpm stack start | stop | status [--json] | reset';

/** The local Supabase by itself: `start` (until Ctrl-C or `stop`), `stop`, `status [--json]`, `reset`. */
export async function stack(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const { dataDir } = readSettings(process.env);
  switch (positionals[0]) {
    case 'start':
      return start();
    case 'stop':
      console.log((await stopStack(dataDir)) ? 'Stopped.' : 'It was not running.');
      return 0;
    case 'status':
      return status(dataDir, values.json);
    case 'reset':
      await resetStack(dataDir);
      console.log(`Everything in ${dataDir} is gone. The next start begins anew.`);
      return 0;
    default:
      console.error(usage);
      return 2;
  }
}

async function start(): Promise<number> {
  const settings = readSettings(process.env);
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const progress = createProgress(process.stdout);
  progress.step('Starting the local stack');
  const running = await startStack({
    dataDir: settings.dataDir,
    apiPort: settings.supabasePort,
    dbPort: settings.postgresPort,
    host: settings.host,
    siteUrl: `http://localhost:${settings.studentPort}`,
    jobs,
    realtimeLimits: machineLimits,
    onProgress: progress.detail,
  });
  progress.done();
  console.log(
    `\n  API       ${running.apiUrl}\n  Database  ${running.dbUrl}\n  Mail      ${running.mailUrl}\n`,
  );
  await interrupted;
  progress.step('Stopping');
  await running.stop();
  progress.done();
  return 0;
}

async function status(dataDir: string, json: boolean): Promise<number> {
  const running = await stackStatus(dataDir);
  if (running === null) {
    if (json) console.log('null');
    else console.log('The local stack is not running. Start it with: pnpm stack start');
    return 1;
  }
  if (json) {
    console.log(JSON.stringify(running, null, 2));
  } else {
    for (const [name, value] of Object.entries(running)) console.log(`${name.padEnd(16)}${value}`);
  }
  return 0;
}
