/** What the command does, apart from the process it runs in. */
import { parseArgs } from 'node:util';
import { AlreadyRunningError, PortTakenError } from '../postgres/errors.ts';
import { machineLimits } from '../realtime/index.ts';
import { startStack } from '../stack.ts';
import { resetStack, stackStatus, stopStack } from '../status.ts';

export type Surroundings = {
  print(line: string): void;
  complain(line: string): void;
  /** Resolves when the command is asked to end. */
  interrupted: Promise<void>;
};

const HELP = `Usage: local-supabase [start | stop | status | reset] [options]

  start    Postgres, Auth, REST, Realtime and a mail catcher, until Ctrl-C or stop
  stop     ends the one that runs in the folder
  status   addresses and keys of the one that runs, as lines for a .env file (--json for JSON)
  reset    forgets its data, users, keys and mails

  --data-dir <folder>       where it keeps them; .supabase-local
  --api-port <port>         54321; 0 for a free one
  --db-port <port>          54322; 0 for a free one
  --host <address>          who may call the API; 127.0.0.1
  --site-url <url>          where links in mails lead; http://localhost:3000
  --redirect-url <pattern>  where else they may lead; may be repeated
  --auto-confirm            new accounts need not confirm their address
  --no-rates                Realtime limits no rates: this machine serves people`;

const OPTIONS = {
  'data-dir': { type: 'string', default: '.supabase-local' },
  'api-port': { type: 'string', default: '54321' },
  'db-port': { type: 'string', default: '54322' },
  host: { type: 'string', default: '127.0.0.1' },
  'site-url': { type: 'string', default: 'http://localhost:3000' },
  'redirect-url': { type: 'string', multiple: true, default: [] as string[] },
  'auto-confirm': { type: 'boolean', default: false },
  'no-rates': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Options = ReturnType<typeof parse>['values'];

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true });
}

/** Runs the command; gives its exit code. */
export async function run(args: string[], surroundings: Surroundings): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    surroundings.complain(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const { positionals, values } = parsed;
  const [command = 'start'] = positionals;
  if (values.help || !isCommand(command)) {
    surroundings.print(HELP);
    return values.help ? 0 : 2;
  }
  try {
    return await COMMANDS[command](values, surroundings);
  } catch (error) {
    if (error instanceof AlreadyRunningError || error instanceof PortTakenError) {
      surroundings.complain(error.message);
      return 1;
    }
    throw error;
  }
}

const COMMANDS = { start, stop, status, reset };

function isCommand(name: string): name is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, name);
}

async function start(options: Options, { print, interrupted }: Surroundings): Promise<number> {
  await using stack = await startStack({
    dataDir: options['data-dir'],
    apiPort: Number(options['api-port']),
    dbPort: Number(options['db-port']),
    host: options.host,
    siteUrl: options['site-url'],
    redirectUrls: options['redirect-url'],
    confirmEmail: !options['auto-confirm'],
    ...(options['no-rates'] ? { realtimeLimits: machineLimits } : {}),
    onProgress: (message) => print(`${message} …`),
    onLog: ({ level, part, message }) => {
      if (level === 'error') print(`${part}: ${message}`);
    },
  });
  print(`\n${envLines(stack).join('\n')}\n\nMails: ${stack.mailUrl}. Ctrl-C stops it.`);
  await interrupted;
  return 0;
}

async function stop(options: Options, { print }: Surroundings): Promise<number> {
  print((await stopStack(options['data-dir'])) ? 'Stopped.' : 'It was not running.');
  return 0;
}

async function status(options: Options, { print, complain }: Surroundings): Promise<number> {
  const running = await stackStatus(options['data-dir']);
  if (running === null) {
    complain('It is not running.');
    return 1;
  }
  for (const line of options.json ? [JSON.stringify(running, null, 2)] : envLines(running)) {
    print(line);
  }
  return 0;
}

async function reset(options: Options, { print }: Surroundings): Promise<number> {
  await resetStack(options['data-dir']);
  print('Everything is forgotten. The next start begins anew.');
  return 0;
}

type Addresses = {
  apiUrl: string;
  dbUrl: string;
  publishableKey: string;
  secretKey: string;
  jwtSecret: string;
};

function envLines({ apiUrl, dbUrl, publishableKey, secretKey, jwtSecret }: Addresses): string[] {
  return [
    `SUPABASE_URL=${apiUrl}`,
    `SUPABASE_PUBLISHABLE_KEY=${publishableKey}`,
    `SUPABASE_SECRET_KEY=${secretKey}`,
    `SUPABASE_JWT_SECRET=${jwtSecret}`,
    `DATABASE_URL=${dbUrl}`,
  ];
}
