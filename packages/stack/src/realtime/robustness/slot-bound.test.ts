import { expect, it } from 'vitest';
import { changedId, Rig } from './rig.ts';

const MB = 1024 * 1024;
const SQL = `
  create table notes (id int primary key, body text);
  grant select on notes to anon;
  alter publication supabase_realtime add table notes;`;

/** Writes so many megabytes of log, in files that could be thrown away. */
async function writeLog(rig: Rig, megabytes: number): Promise<void> {
  for (let written = 0; written < megabytes; written += 16) {
    await rig.db.query(`select pg_logical_emit_message(false, 'filler', repeat('x', $1))`, [
      15 * MB,
    ]);
    await rig.db.query('select pg_switch_wal()');
  }
  await rig.db.query('checkpoint');
}

async function logBytes(rig: Rig): Promise<number> {
  const { rows } = await rig.db.query<{ bytes: number }>(
    'select sum(size)::float8 as bytes from pg_ls_waldir()',
  );
  return rows[0]?.bytes ?? 0;
}

it('holds no more of the log than is allowed when its server was killed', async () => {
  await using rig = await Rig.start({
    settings: { max_slot_wal_keep_size: '32MB', min_wal_size: '32MB', max_wal_size: '64MB' },
    sql: SQL,
  });
  await rig.killServer();
  await writeLog(rig, 240);
  expect((await logBytes(rig)) / MB).toBeLessThan(160);
  const { rows } = await rig.db.query<{ wal_status: string }>(
    'select wal_status from pg_replication_slots',
  );
  expect(rows).toEqual([{ wal_status: 'lost' }]);
  await rig.startServer();
  const socket = await rig.listener('notes');
  await rig.db.query(`insert into notes values (1, 'x')`);
  expect(changedId((await socket.next()).payload)).toBe(1);
});

it('ends with its server where nothing bounds it', async () => {
  await using rig = await Rig.start({ settings: { max_slot_wal_keep_size: '-1' }, sql: SQL });
  const { rows } = await rig.db.query<{ temporary: boolean }>(
    'select temporary from pg_replication_slots',
  );
  expect(rows).toEqual([{ temporary: true }]);
  const socket = await rig.listener('notes');
  await rig.crashPostgres();
  // What was missed can't be told; that something may have been is.
  expect((await socket.next()).payload).toMatchObject({ extension: 'postgres_changes' });
  await rig.db.query(`insert into notes values (1, 'x')`);
  expect(changedId((await socket.next()).payload)).toBe(1);
});
