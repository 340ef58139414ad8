import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { MonitoringTasks } from '../process/monitoring.worker.ts';
import { startWorker } from '../process/worker.ts';

/** Enough for the figures of a round to lie within a percent of each other. */
const CALLS = 3_000;

/** What it costs a portal to count and measure each of its calls. */
export async function monitoring(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const [userId = ''] = await makeUsers(database.sql, 1);
  const server = startWorker<MonitoringTasks>(
    new URL('../process/monitoring.worker.ts', import.meta.url),
  );
  try {
    await server.ask('open', { url: database.url, userId });
    const times = await inTurns({
      watched: () => server.ask('cpuOf', { which: 'watched', calls: CALLS }),
      blind: () => server.ask('cpuOf', { which: 'blind', calls: CALLS }),
    });
    return [
      row(
        'CPU of a call with metrics vs without',
        'µs',
        { value: median(times.watched), baseline: median(times.blind) },
        { atMost: 1.02 },
      ),
    ];
  } finally {
    await server.stop();
  }
}
