import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AlreadyRunningError,
  resetStack,
  type Stack,
  type StackOptions,
  stackStatus,
  startStack,
  stopStack,
} from './index.ts';
import { processBirth } from './postgres/os-process.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
/** One for all, since making a database takes longest of all; each test leaves it stopped. */
let dataDir: string;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stack-test-'));
  await chmod(folder, 0o755);
  dataDir = join(folder, 'data');
});

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

afterAll(async () => {
  await resetStack(dataDir);
  await rm(folder, { recursive: true });
});

async function started(options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ dataDir, apiPort: 0, dbPort: 0, ...options });
  cleanUp.push(() => stack.stop());
  return stack;
}

/** Runs a statement as role `postgres`. */
async function query(stack: { dbUrl: string }, statement: string) {
  const sql = postgres(stack.dbUrl, { max: 1, onnotice: () => undefined });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

/** A stack in a process of its own. */
async function startedElsewhere(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./testing/stack-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  cleanUp.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

describe('what a stack keeps', () => {
  it('is gone after a reset, which leaves what is not its own', async () => {
    const stack = await started();
    await writeFile(join(dataDir, 'mine.txt'), 'mine');
    await expect(resetStack(dataDir)).rejects.toBeInstanceOf(AlreadyRunningError);
    await query(stack, 'create table gone (body text)');
    await stack.stop();
    await resetStack(dataDir);
    expect(await readFile(join(dataDir, 'mine.txt'), 'utf8')).toBe('mine');

    const anew = await started();
    expect(await query(anew, `select to_regclass('gone') as gone`)).toEqual([{ gone: null }]);
    expect(anew.secretKey).not.toBe(stack.secretKey);
  });

  it('is prepared before anything else uses it', async () => {
    const users: unknown[] = [];
    await started({
      jobs: [{ name: 'busy', schedule: '1 seconds', sql: 'select 1' }],
      async prepare(dbUrl) {
        users.push(
          ...(await query(
            { dbUrl },
            `select usename, application_name from pg_stat_activity
             where backend_type = 'client backend' and pid <> pg_backend_pid()`,
          )),
        );
        await query({ dbUrl }, 'create table prepared (body text)');
      },
    });
    expect(users).toEqual([]);
  });

  it('is there at the next start: data, users, mails, keys', async () => {
    const first = await started();
    await query(first, 'create table notes (body text); insert into notes values (1)');
    const client = createClient(first.apiUrl, first.publishableKey);
    await client.auth.signUp({ email: 'ann@school.test', password: 'correct horse' });
    await first.stop();

    const second = await started();
    expect(await query(second, 'select body from notes')).toEqual([{ body: '1' }]);
    expect(await query(second, 'select email from auth.users')).toEqual([
      { email: 'ann@school.test' },
    ]);
    const mails = await fetch(`${second.mailUrl}/api/messages`);
    expect(await mails.json()).toMatchObject([{ to: 'ann@school.test' }]);
    const keys = ({ publishableKey, secretKey, jwtSecret }: Stack) => ({
      ...{ publishableKey, secretKey, jwtSecret },
    });
    expect(keys(second)).toEqual(keys(first));
    expect((await stat(join(dataDir, 'keys.json'))).mode & 0o777).toBe(0o600);
  });

  it('survives the death of its process, which leaves no Postgres behind', async () => {
    const child = await startedElsewhere();
    const status = await stackStatus(dataDir);
    if (status === null) throw new Error('The stack runs, but its status is not known.');
    await query(status, 'create table survivors (body text); insert into survivors values (1)');
    const [server] = await query(status, `select current_setting('data_directory') as directory`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await stackStatus(dataDir)).toBeNull();

    const stack = await started();
    expect(await query(stack, 'select body from survivors')).toEqual([{ body: '1' }]);
    const [now] = await query(stack, `select current_setting('data_directory') as directory`);
    expect(now).toEqual(server);
  });
});

it('is seen by other processes, keeps them from starting a second one, and is stopped by them', async () => {
  expect(await stackStatus(dataDir)).toBeNull();
  expect(await stopStack(dataDir)).toBe(false);
  const child = await startedElsewhere();
  const status = await stackStatus(dataDir);
  expect(status).toMatchObject({
    pid: child.pid,
    apiUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    publishableKey: expect.stringMatching(/^sb_publishable_/) as string,
    secretKey: expect.stringMatching(/^sb_secret_/) as string,
  });
  await expect(started()).rejects.toThrow(`is already running (pid ${child.pid})`);
  expect(await stopStack(dataDir)).toBe(true);
  expect(await stackStatus(dataDir)).toBeNull();
  await expect(fetch(`${status?.apiUrl}/health`)).rejects.toThrow();
});

it.each([
  ['dbPort', 'POSTGRES_PORT'],
  ['apiPort', 'SUPABASE_PORT'],
] as const)(
  'names the variable when its %s is taken, and leaves nothing running',
  async (option, variable) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(started({ [option]: port })).rejects.toThrow(
      `Port ${port} is taken. Free it, or choose another one with ${variable}.`,
    );
    other.close();
    await expect(started()).resolves.toBeDefined();
  },
);

it('starts although files name processes that only have the same number, and runs the jobs of the app', async () => {
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  await writeFile(pidFile, `${process.pid}\n${dataDir}/postgres\n0\n54322\n`);
  await writeFile(join(dataDir, 'owner'), `${process.pid} an earlier birth`);
  expect(await processBirth(process.pid)).not.toBe('an earlier birth');
  const entries: string[] = [];
  const { promise: ran, resolve } = Promise.withResolvers<void>();
  await started({
    jobs: [{ name: 'tick', schedule: '* * * * * *', sql: 'select 1' }],
    onLog(entry) {
      entries.push(entry.message);
      if (entry.part === 'jobs') resolve();
    },
  });
  await ran;
  expect(entries.at(-1)).toMatch(/^tick took \d+ ms$/);
});

it.runIf(isRoot)(
  'has its data elsewhere when the user of Postgres cannot reach the folder, and finds them again',
  async () => {
    const hidden = join(folder, 'hidden');
    const options = { dataDir: join(hidden, 'data') };
    await mkdir(hidden, { mode: 0o700 });
    cleanUp.push(() => resetStack(options.dataDir));
    const said: string[] = [];
    const first = await started({ ...options, onProgress: (message) => said.push(message) });
    expect(said.join('\n')).toMatch(/can't be reached by user \S+: the data are in \//);
    await query(first, 'create table notes (body text)');
    await first.stop();
    const notes = `select to_regclass('notes')::text as notes`;
    const second = await started(options);
    expect(await query(second, notes)).toEqual([{ notes: 'notes' }]);
    await second.stop();
    // Another folder at the same path is not the one whose data these are.
    await rm(options.dataDir, { recursive: true });
    const third = await started(options);
    expect(await query(third, notes)).toEqual([{ notes: null }]);
  },
);
