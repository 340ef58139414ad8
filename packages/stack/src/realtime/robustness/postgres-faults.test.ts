import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RawSocket } from '../testing/raw-socket.ts';
import { changedId, Rig } from './rig.ts';

let rig: Rig;
let socket: RawSocket;
let lastId = 0;
beforeAll(async () => {
  rig = await Rig.start({
    sql: `
      create table notes (id int primary key, body text);
      alter table notes enable row level security;
      create policy everybody on notes using (true);
      grant select on notes to anon;
      alter publication supabase_realtime add table notes;`,
  });
});
afterAll(() => rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.db.query('truncate notes');
  lastId = 0;
  socket = await rig.listener('notes');
});

function insert(count: number): Promise<unknown> {
  const first = lastId + 1;
  lastId += count;
  return rig.db.query(`insert into notes select n, 'x' from generate_series($1::int, $2::int) n`, [
    first,
    lastId,
  ]);
}
const send = (event: string): Promise<unknown> =>
  rig.db.query(`select realtime.send('{}', $1, 'room', false)`, [event]);

/** The ids of the next changes and how often the subscriber was told to load anew. */
async function changes(count: number): Promise<{ ids: unknown[]; announced: number }> {
  const ids: unknown[] = [];
  let announced = 0;
  while (ids.length < count) {
    const frame = await socket.next();
    if (frame.event === 'postgres_changes') ids.push(changedId(frame.payload));
    else if (frame.event === 'system') announced += 1;
  }
  return { ids, announced };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

it('tells every change once, in order, through a restart of Postgres', async () => {
  await insert(10);
  await rig.restartPostgres();
  await insert(10);
  expect(await changes(20)).toEqual({ ids: upTo(20), announced: 0 });
  await send('after');
  expect((await socket.next()).binary?.includes('after')).toBe(true);
});

it('tells every change once, in order, through a crash of Postgres', async () => {
  await insert(10);
  await rig.crashPostgres();
  await insert(10);
  expect(await changes(20)).toEqual({ ids: upTo(20), announced: 0 });
});

it('tells every change once when its connections are ended again and again', async () => {
  for (let round = 0; round < 10; round += 1) {
    const cut = rig.db.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like 'realtime%' or backend_type = 'walsender'`);
    await Promise.all([insert(50), cut, insert(50)]);
  }
  const { ids, announced } = await changes(1_000);
  expect([...ids].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(1_000));
  expect(announced).toBe(0);
});

it('says that changes were missed when its slot is lost, and makes good for broadcasts', async () => {
  await rig.db.query(`
    do $$ declare slot record; begin
      for slot in select * from pg_replication_slots where database = current_database() loop
        perform pg_terminate_backend(slot.active_pid, 5000);
        perform pg_drop_replication_slot(slot.slot_name);
      end loop;
    end $$`);
  await send('meanwhile');
  const frames = [await socket.next(), await socket.next()];
  expect(frames.some(({ binary }) => binary?.includes('meanwhile'))).toBe(true);
  expect(frames.map(({ payload }) => payload)).toContainEqual(
    expect.objectContaining({ extension: 'postgres_changes', status: 'ok' }),
  );
  await insert(1);
  expect((await changes(1)).ids).toEqual([1]);
});

it('removes the slot of a server that was killed', async () => {
  const slots = async (): Promise<string[]> => {
    const { rows } = await rig.db.query<{ slot_name: string }>(
      'select slot_name from pg_replication_slots where database = current_database()',
    );
    return rows.map((row) => row.slot_name);
  };
  const before = await slots();
  await rig.killServer();
  await rig.startServer();
  const after = await slots();
  expect([before.length, after.length]).toEqual([1, 1]);
  expect(after).not.toEqual(before);
});
