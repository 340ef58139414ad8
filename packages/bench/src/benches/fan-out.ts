import type { Lab } from '../lab/lab.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median, quantile } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { RelayTasks } from '../process/relay.worker.ts';
import type { SubscriberTasks } from '../process/subscribers.worker.ts';
import { startWorker } from '../process/worker.ts';
import type { BenchOptions } from './benches.ts';

const SUBSCRIBERS = 1_000;
/** With `--full`: opening so many sockets, twice, takes a minute. */
const MANY_SUBSCRIBERS = 10_000;
/** Events of a round, one after another: each has arrived everywhere before the next. */
const EVENTS = 60;
/** Events of a round that one transaction tells. */
const BURST = 100;
const TOPIC = 'bench:fan-out';
/** An event about as long as one of our notifications. */
const FILLER = 'x'.repeat(200);

/** One event to many, beside a bare `ws.send` loop: CPU time of the server, and time on the clock. */
export async function fanOut(lab: Lab, { full }: BenchOptions): Promise<Row[]> {
  const rows = await fanOutTo(lab, SUBSCRIBERS);
  return full ? [...rows, ...(await fanOutTo(lab, MANY_SUBSCRIBERS))] : rows;
}

async function fanOutTo(lab: Lab, total: number): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url, adminUrl } = database;
  const gateway = startWorker<GatewayTasks>(
    new URL('../process/gateway.worker.ts', import.meta.url),
  );
  const relay = startWorker<RelayTasks>(new URL('../process/relay.worker.ts', import.meta.url));
  const subscribers = new URL('../process/subscribers.worker.ts', import.meta.url);
  const ours = startWorker<SubscriberTasks>(subscribers);
  const bare = startWorker<SubscriberTasks>(subscribers);
  try {
    const address = await gateway.ask('open', { url, adminUrl });
    await ours.ask('join', { ...address, topic: TOPIC, total: total });
    const relayUrl = await relay.ask('open', { url, channel: 'bench' });
    await bare.ask('joinBare', { url: relayUrl, total: total });

    const send = (times: number) => sql`
      select realtime.send(jsonb_build_object('filler', ${FILLER}::text), 'told', ${TOPIC}, false)
      from generate_series(1, ${times}::integer)`;
    await ours.ask('expect', total);
    await send(1);
    await ours.ask('received');
    const frame = await ours.ask('frame');
    const blast = (times: number) => relay.ask('blast', { frame, times });

    const rate = async (
      server: { cpuSeconds(): Promise<number> },
      client: typeof ours,
      tell: (times: number) => PromiseLike<unknown>,
      { times, each }: { times: number; each: number },
    ) => {
      const before = await server.cpuSeconds();
      for (let time = 0; time < times; time += 1) {
        await client.ask('expect', total * each);
        await tell(each);
        await client.ask('received');
      }
      return (total * each * times) / ((await server.cpuSeconds()) - before);
    };
    const singles = { times: EVENTS, each: 1 };
    const burst = { times: 3, each: BURST };
    /** Milliseconds from asking for the commit until the last one has it. */
    const times = async (client: typeof ours, commit: () => PromiseLike<unknown>) => {
      const times: number[] = [];
      for (let event = 0; event < EVENTS / 3; event += 1) {
        await client.ask('expect', total);
        const asked = performance.timeOrigin + performance.now();
        await commit();
        times.push((await client.ask('received')) - asked);
      }
      return times;
    };
    const rates = await inTurns({
      single: () => rate(gateway, ours, send, singles),
      bareSingle: () => rate(relay, bare, blast, singles),
      burst: () => rate(gateway, ours, send, burst),
      bareBurst: () => rate(relay, bare, blast, burst),
    });
    const { told, relayed } = await inTurns({
      told: () => times(ours, () => send(1)),
      relayed: () => times(bare, () => sql`select pg_notify('bench', ${frame})`),
    });
    const at = (rounds: number[][], share: number) =>
      median(rounds.map((round) => quantile(round, share)));
    return [
      row(
        `commit → the last of ${total} subscribers, p50`,
        'ms',
        { value: at(told, 0.5), baseline: at(relayed, 0.5) },
        { atMost: 1.2 },
      ),
      row(
        `commit → the last of ${total} subscribers, p99`,
        'ms',
        { value: at(told, 0.99), baseline: at(relayed, 0.99) },
        { atMost: 2 },
      ),
      row(
        `one event to ${total} subscribers`,
        'deliveries/CPU-s',
        { value: median(rates.single), baseline: median(rates.bareSingle) },
        { atLeast: 0.9 },
      ),
      row(
        `bursts of ${BURST} to ${total} subscribers`,
        'deliveries/CPU-s',
        { value: median(rates.burst), baseline: median(rates.bareBurst) },
        { atLeast: 4 },
      ),
    ];
  } finally {
    await Promise.all([ours.stop(), bare.stop(), relay.stop(), gateway.stop()]);
  }
}
