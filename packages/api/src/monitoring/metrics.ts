import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LATENCY_BOUNDS_MS } from './histogram.ts';
import type { JobState } from './contract.ts';

const BOUNDS_SECONDS = LATENCY_BOUNDS_MS.map((ms) => ms / 1000);

/** What is read from the database for each scrape. */
export type ScrapedState = {
  queues: { queue: string; depth: number }[];
  jobs: Pick<JobState, 'name' | 'lastOk' | 'lastMs' | 'lastFinishedAt' | 'failures'>[];
};

/** The metrics of one portal, in a registry of its own. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `homeroom_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `homeroom_${name}`, help, labelNames, registers });

  const jobGauges = {
    ok: gauge('job_ok', 'Whether the last run of a job went well', ['job']),
    failures: gauge('job_failures', 'How often a job has failed so far', ['job']),
    seconds: gauge('job_last_seconds', 'How long the last run of a job took', ['job']),
    finished: gauge('job_last_finished_seconds', 'When the last run of a job ended', ['job']),
  };
  const queueDepth = gauge('queue_depth', 'How much waits to be done', ['queue']);
  const databaseUp = gauge('database_up', 'Whether the database answered this scrape');

  return {
    registry,
    calls: new Histogram({
      name: 'homeroom_call_seconds',
      help: 'How long procedures took, by what came of them: ok, or the code of the error',
      labelNames: ['procedure', 'outcome'],
      buckets: BOUNDS_SECONDS,
      registers,
    }),
    screen: new Histogram({
      name: 'homeroom_commit_to_screen_seconds',
      help: 'From commit to the screen, as browsers report it',
      buckets: BOUNDS_SECONDS,
      registers,
    }),
    connections: counter('live_connections_total', 'What browsers report of their sockets', [
      'what',
    ]),
    messages: counter('live_messages_total', 'Events that browsers have applied'),
    browserErrors: counter('browser_errors_total', 'Errors that browsers have reported'),
    tabs: gauge('tabs', 'Open tabs that report, by whether they are live', ['live']),
    /** Sets what was read from the database; null when it didn't answer. */
    setState(state: ScrapedState | null): void {
      databaseUp.set(state === null ? 0 : 1);
      for (const { queue, depth } of state?.queues ?? []) queueDepth.set({ queue }, depth);
      for (const { name: job, ...run } of state?.jobs ?? []) {
        if (run.lastOk !== null) jobGauges.ok.set({ job }, Number(run.lastOk));
        if (run.lastMs !== null) jobGauges.seconds.set({ job }, run.lastMs / 1000);
        jobGauges.failures.set({ job }, run.failures);
        if (run.lastFinishedAt !== null) {
          jobGauges.finished.set({ job }, Date.parse(run.lastFinishedAt) / 1000);
        }
      }
    },
  };
}
