import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { median, medianInterval } from '../measure/statistics.ts';
import type { MonitoringTasks } from '../process/monitoring.worker.ts';
import { startWorker } from '../process/worker.ts';

const WARM_UP_ROUNDS = 20;
/** A lot's figure is off by a few percent, the median of so many by a tenth of that. */
const ROUNDS = 300;
/** Of writing and of a scrape. */
const TIMES = 200;
/** How often a portal writes what it counted, and Prometheus asks, by default. */
const WRITE_SECONDS = 3;
const SCRAPE_SECONDS = 15;

/**
 * What it costs a portal to count and measure each of its calls: differences of neighbouring lots of
 * calls, and beside it the same of lots that don't differ, which says what the figure is worth.
 */
export async function monitoring(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const [userId = ''] = await makeUsers(database.sql, 1);
  const server = startWorker<MonitoringTasks>(
    new URL('../process/monitoring.worker.ts', import.meta.url),
  );
  try {
    await server.ask('open', { url: database.url, userId });
    await server.ask('measure', { rounds: WARM_UP_ROUNDS });
    const rounds = await server.ask('measure', { rounds: ROUNDS });
    const { count, write, scrape } = await server.ask('measureParts', { times: TIMES });

    const baseline = median(rounds.flatMap(({ off, offAgain }) => [off, offAgain]));
    const differences = rounds.map(({ on, off, offAgain }) => on - (off + offAgain) / 2);
    const none = rounds.map(({ off, offAgain }) => offAgain - off);
    // A process that is as busy as it can be: all of its time goes into calls.
    const callsPerSecond = 1e6 / baseline;
    const rest = (write / WRITE_SECONDS + scrape / SCRAPE_SECONDS) / callsPerSecond;
    const interval = medianInterval(differences);
    const against = (difference: number) => ({ value: baseline + difference, baseline });
    return [
      row('CPU of a call with metrics vs without', 'µs', against(median(differences) + rest), {
        atMost: 1.02,
      }),
      row('… 95 % sure: at least', 'µs', against(interval.from + rest), null),
      row('… and at most', 'µs', against(interval.to + rest), null),
      row(
        '… of it: counting, writing and scrapes by themselves',
        'µs',
        against(count + rest),
        null,
      ),
      row('… the same without metrics on either side', 'µs', against(median(none)), null),
    ];
  } finally {
    await server.stop();
  }
}
