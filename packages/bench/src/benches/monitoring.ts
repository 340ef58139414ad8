import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { MonitoringTasks } from '../process/monitoring.worker.ts';
import { startWorker } from '../process/worker.ts';

/** A turn is short, so that a busy machine is as busy for both of a round. */
const CALLS = 1_000;
/** Two percent are asked for, and a turn's figure is off by more: many turns tell. */
const ROUNDS = 25;

/** What it costs a portal to count and measure each of its calls. */
export async function monitoring(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const [userId = ''] = await makeUsers(database.sql, 1);
  const server = startWorker<MonitoringTasks>(
    new URL('../process/monitoring.worker.ts', import.meta.url),
  );
  try {
    await server.ask('open', { url: database.url, userId });
    const times = await inTurns(
      {
        watched: () => server.ask('cpuOf', { which: 'watched', calls: CALLS }),
        blind: () => server.ask('cpuOf', { which: 'blind', calls: CALLS }),
      },
      ROUNDS,
    );
    const ratios = times.watched.map((watched, round) => watched / (times.blind[round] ?? NaN));
    const baseline = median(times.blind);
    return [
      row(
        'CPU of a call with metrics vs without',
        'µs',
        { value: baseline * median(ratios), baseline },
        { atMost: 1.02 },
      ),
    ];
  } finally {
    await server.stop();
  }
}
