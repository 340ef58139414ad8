import { readdir, readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';

/**
 * What a Postgres server costs: CPU seconds of all its processes, as Linux counts them. Connections
 * must stay open between two readings, since what has ended is counted no more.
 */
export class DatabaseCpu {
  readonly #postmaster: number;

  private constructor(postmaster: number) {
    this.#postmaster = postmaster;
  }

  /** Of the server that this superuser's connection leads to; null where there is no `/proc`. */
  static async of(admin: Sql): Promise<DatabaseCpu | null> {
    const [row] = await admin<{ file: string }[]>`select pg_read_file('postmaster.pid') as file`;
    const cpu = new DatabaseCpu(Number(row?.file.split('\n')[0]));
    return (await cpu.seconds()) === 0 ? null : cpu;
  }

  /** CPU seconds so far; 0 where they can't be read. */
  async seconds(): Promise<number> {
    const processes = await readdir('/proc').catch(() => []);
    const times = await Promise.all(
      processes
        .filter((name) => /^\d+$/.test(name))
        .map(async (pid) =>
          Number(pid) === this.#postmaster || (await parentOf(pid)) === this.#postmaster
            ? runTime(pid)
            : 0,
        ),
    );
    return times.reduce((sum, time) => sum + time, 0);
  }
}

/** A process may end while it is looked at. */
async function parentOf(pid: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in parentheses, may have spaces.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

async function runTime(pid: string): Promise<number> {
  const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0')).split(
    ' ',
  );
  return Number(nanoseconds) / 1e9;
}
