import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootstrapDatabase } from '../bootstrap/bootstrap.ts';
import { type Postgres, startPostgres } from './throw-away-postgres.ts';

let cluster: Postgres;
let admin: Sql;

beforeAll(async () => {
  cluster = await startPostgres({ settings: { work_mem: '8MB' } });
  admin = postgres(cluster.adminUrl('postgres'), { onnotice: () => undefined });
});

afterAll(async () => {
  await admin.end();
  await cluster.stop();
});

it('copies a database that belongs to postgres', async () => {
  await cluster.createDatabase('template');
  await bootstrapDatabase(cluster.adminUrl('template'));
  await cluster.createDatabase('copy', 'template');
  const sql = postgres(cluster.url('copy'));
  await sql`create schema private`;
  expect(await sql`select realtime.topic() as topic`).toEqual([{ topic: null }]);
  await cluster.dropDatabase('copy');
  await expect(sql`select 1`).rejects.toThrow();
  await sql.end();
});

it('is set up for Realtime, in UTC', async () => {
  const [settings] = await admin`
    select
      current_setting('wal_level') as wal_level,
      current_setting('timezone') as timezone,
      current_setting('max_slot_wal_keep_size') as kept,
      current_setting('work_mem') as work_mem`;
  expect(settings).toEqual({
    ...{ wal_level: 'logical', timezone: 'UTC', kept: '1GB', work_mem: '8MB' },
  });
});

it('writes nothing safely, until it is told to', async () => {
  const fsync = () => admin`select current_setting('fsync') as fsync`;
  expect(await fsync()).toEqual([{ fsync: 'off' }]);
  await admin`alter system set fsync = on`;
  await admin`select pg_reload_conf()`;
  while ((await fsync())[0]?.['fsync'] === 'off');
});

it('listens on this machine only', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  if (outside === undefined) return;
  const socket = connect(cluster.port, outside.address);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});
