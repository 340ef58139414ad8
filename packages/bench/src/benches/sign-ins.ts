import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median, quantile } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { Latency, LatencyTasks } from '../process/latency.worker.ts';
import type { RelayTasks } from '../process/relay.worker.ts';
import type { SignInTasks } from '../process/sign-in.worker.ts';
import { startWorker } from '../process/worker.ts';
import { BARE_TABLE } from './latency.ts';

const SIGN_INS_PER_SECOND = 20;
const SAMPLES_PER_ROUND = 100;
/** Fewer than elsewhere: those who wait to be let in make them long. */
const ROUNDS = 3;

const at = (name: string) => new URL(`../process/${name}.worker.ts`, import.meta.url);

/** The latencies again while passwords are hashed, in pure JavaScript, in the same gateway. */
export async function signIns(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  await using parts = new AsyncDisposableStack();
  const { sql, url, adminUrl } = database;
  const gateway = parts.adopt(startWorker<GatewayTasks>(at('gateway')), (one) => one.stop());
  const relay = parts.adopt(startWorker<RelayTasks>(at('relay')), (one) => one.stop());
  const client = parts.adopt(startWorker<LatencyTasks>(at('latency')), (one) => one.stop());
  const people = parts.adopt(startWorker<SignInTasks>(at('sign-in')), (one) => one.stop());
  await sql.unsafe(BARE_TABLE);
  const [userId = ''] = await makeUsers(sql, 1);
  const relayUrl = await relay.ask('open', { url, channel: 'bench' });
  const address = await gateway.ask('open', { url, adminUrl, confirmEmail: false });
  await client.ask('open', { place: { url, adminUrl }, gateway: address, relayUrl, userId });
  await people.ask('open', address);

  const times = await inTurns(
    {
      quiet: () => client.ask('send', SAMPLES_PER_ROUND),
      busy: () => whileSigningIn(() => client.ask('send', SAMPLES_PER_ROUND)),
      busyStore: () => whileSigningIn(() => client.ask('store', SAMPLES_PER_ROUND)),
      busyRelay: () => whileSigningIn(() => client.ask('relay', SAMPLES_PER_ROUND)),
    },
    ROUNDS,
  );
  async function whileSigningIn(measure: () => Promise<Latency[]>): Promise<Latency[]> {
    await people.ask('start', SIGN_INS_PER_SECOND);
    const latencies = await measure();
    const { failed } = await people.ask('stop');
    if (failed > 0) throw new Error(`${failed} sign-ins failed`);
    return latencies;
  }
  const p99 = (name: keyof typeof times) =>
    median(
      times[name].map((samples) =>
        quantile(
          samples.map((one) => one.fromCommit),
          0.99,
        ),
      ),
    );
  const load = `at ${SIGN_INS_PER_SECOND} sign-ins/s`;
  return [
    row(
      `commit → store, p99 ${load}`,
      'ms',
      { value: p99('busyStore'), baseline: p99('busyRelay') },
      { atMost: 2 },
    ),
    row(
      `realtime.send → socket, p99 ${load}`,
      'ms',
      { value: p99('busy'), baseline: p99('busyRelay') },
      { atMost: 2 },
    ),
    row(
      `realtime.send → socket, p99 ${load}, vs none`,
      'ms',
      { value: p99('busy'), baseline: p99('quiet') },
      null,
    ),
  ];
}
