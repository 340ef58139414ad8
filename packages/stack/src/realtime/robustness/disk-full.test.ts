import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { changedId, Rig } from './rig.ts';

const run = promisify(execFile);
const SIZE = '260m';

/** A folder on a small disk of its own, or the reason why there is none. */
async function smallDisk(): Promise<{ folder: string } | { reason: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { reason: 'only root on Linux can mount a small disk' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=711`, 'tmpfs', folder]);
    return { folder };
  } catch (error) {
    await rm(folder, { recursive: true });
    return { reason: `mounting is not allowed: ${String(error)}` };
  }
}

it('lives through a full disk, and tells what was committed before and after', async ({ skip }) => {
  const disk = await smallDisk();
  if ('reason' in disk) return skip(disk.reason);
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => {
    await run('umount', ['--lazy', disk.folder]);
    await rm(disk.folder, { recursive: true, force: true });
  });
  const folder = join(disk.folder, 'data');
  const rig = cleanUp.use(
    await Rig.start({
      folder,
      settings: { min_wal_size: '32MB', max_wal_size: '48MB', wal_recycle: 'off' },
      sql: `
        create table notes (id int primary key, body text);
        grant select on notes to anon;
        alter publication supabase_realtime add table notes;`,
    }),
  );
  const socket = await rig.listener('notes');
  const nextId = async (): Promise<unknown> =>
    changedId((await socket.next((frame) => frame.event === 'postgres_changes')).payload);

  await rig.db.query(`insert into notes values (1, 'before')`);
  expect(await nextId()).toBe(1);
  const filler = join(disk.folder, 'filler');
  const { bavail, bsize } = await statfs(disk.folder);
  await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - 4 * 1024 * 1024)));
  // Fails for want of space: at once, or together with all of Postgres when the log has none left.
  const big = rig.db.query(
    `insert into notes select n, repeat(md5(n::text), 30) from generate_series(1000, 200000) n`,
  );
  await expect(big).rejects.toThrow();
  await rm(filler);
  await rig.restartPostgres();
  await rig.db.query(`insert into notes values (2, 'after')`);
  expect(await nextId()).toBe(2);
}, 120_000);
