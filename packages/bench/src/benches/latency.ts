import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median, quantile } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { Latency, LatencyTasks } from '../process/latency.worker.ts';
import type { RelayTasks } from '../process/relay.worker.ts';
import { startWorker } from '../process/worker.ts';

const SAMPLES_PER_ROUND = 150;

/**
 * Supabase Realtime 2.129.8, measured on 2 cores, one subscriber (design, section 10). Of
 * `realtime.send`'s range of 0.9–2.2 ms the better end, so that the comparison can't flatter us.
 */
const UPSTREAM_SEND_MS = 0.9;
const UPSTREAM_CHANGES_MS = 235;

/** Commit → client, of a live store beside a bare relay, and of plain Realtime beside upstream. */
export async function latency(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url, adminUrl } = database;
  const [userId = ''] = await makeUsers(sql, 1);
  await sql.unsafe(BARE_TABLE);
  const gateway = startWorker<GatewayTasks>(
    new URL('../process/gateway.worker.ts', import.meta.url),
  );
  const relay = startWorker<RelayTasks>(new URL('../process/relay.worker.ts', import.meta.url));
  const client = startWorker<LatencyTasks>(
    new URL('../process/latency.worker.ts', import.meta.url),
  );
  try {
    const relayUrl = await relay.ask('open', { url, channel: 'bench' });
    const address = await gateway.ask('open', { url, adminUrl });
    await client.ask('open', { place: { url, adminUrl }, gateway: address, relayUrl, userId });
    const times = await inTurns({
      store: () => client.ask('store', SAMPLES_PER_ROUND),
      relay: () => client.ask('relay', SAMPLES_PER_ROUND),
      send: () => client.ask('send', SAMPLES_PER_ROUND),
      changes: () => client.ask('changes', SAMPLES_PER_ROUND),
    });
    const at = (name: keyof typeof times, share: number, from: keyof Latency = 'fromCommit') =>
      median(
        times[name].map((samples) =>
          quantile(
            samples.map((sample) => sample[from]),
            share,
          ),
        ),
      );
    return [
      row(
        'commit → store, p50',
        'ms',
        { value: at('store', 0.5), baseline: at('relay', 0.5) },
        { atMost: 1.2 },
      ),
      row(
        'commit → store, p99',
        'ms',
        { value: at('store', 0.99), baseline: at('relay', 0.99) },
        { atMost: 2 },
      ),
      row(
        'write and commit → store, p50',
        'ms',
        { value: at('store', 0.5, 'fromWrite'), baseline: at('relay', 0.5, 'fromWrite') },
        null,
      ),
      row(
        'realtime.send → socket, p50, vs upstream',
        'ms',
        { value: at('send', 0.5), baseline: UPSTREAM_SEND_MS },
        { atMost: 0.6 },
      ),
      row(
        'postgres_changes, p50, vs upstream',
        'ms',
        { value: at('changes', 0.5), baseline: UPSTREAM_CHANGES_MS },
        { atMost: 0.02 },
      ),
    ];
  } finally {
    await Promise.all([client.stop(), relay.stop(), gateway.stop()]);
  }
}

/** The same row without Homeroom's triggers; its payload is what Homeroom's event carries. */
export const BARE_TABLE = `
  create table bench_notifications (like public.notifications including all);
  create function bench_notify() returns trigger language plpgsql as $$
  begin
    perform pg_notify('bench', jsonb_build_object(
      'id', new.id, 'type', new.type, 'level', new.level, 'title', new.title,
      'message', new.message, 'data', new.data, 'courseId', new.course_id,
      'count', new.count, 'readAt', new.read_at, 'createdAt', new.created_at
    )::text);
    return null;
  end;
  $$;
  create trigger bench_notify after insert on bench_notifications
  for each row execute function bench_notify()`;
