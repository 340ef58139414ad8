/** Metrics in the text format of Prometheus, together with those of the process. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { DROP_REASONS, type RealtimeMetrics } from './meter.ts';

type NumberName = {
  [K in keyof RealtimeMetrics]: RealtimeMetrics[K] extends number | null ? K : never;
}[keyof RealtimeMetrics];

/** Name in Prometheus (without `realtime_`), where it is in the snapshot, what it says. */
const COUNTERS: readonly (readonly [string, NumberName, string])[] = [
  ['connections_opened_total', 'connectionsOpened', 'Sockets opened.'],
  ['handshakes_refused_total', 'handshakesRefused', 'Sockets refused.'],
  ['joins_total', 'joins', 'Channels joined.'],
  ['joins_refused_total', 'joinsRefused', 'Joins refused.'],
  ['client_events_total', 'eventsFromClients', 'Broadcasts and presence calls of clients.'],
  ['http_events_total', 'eventsFromHttp', 'Broadcasts over HTTP.'],
  ['broadcasts_delivered_total', 'broadcastsOut', 'Broadcasts delivered, once per socket.'],
  ['presence_diffs_delivered_total', 'presenceDiffsOut', 'Presence diffs, once per socket.'],
  ['changes_delivered_total', 'changesOut', 'Changes of tables delivered, once per channel.'],
  ['received_bytes_total', 'bytesIn', 'Bytes of frames received.'],
  ['sent_bytes_total', 'bytesOut', 'Bytes of frames sent.'],
  ['topic_checks_total', 'topicChecks', 'Questions to the policies on realtime.messages.'],
  ['row_checks_total', 'rowChecks', 'Rows judged by row level security, per set of claims.'],
];
const GAUGES: readonly (readonly [string, NumberName, string])[] = [
  ['connections', 'connections', 'Open sockets.'],
  ['channels', 'channels', 'Channels joined now.'],
  ['topics', 'topics', 'Topics that somebody has joined.'],
  [
    'log_lag_bytes',
    'logLagBytes',
    'Write-ahead log written and not yet read; NaN if it is not read.',
  ],
];

/** Renders snapshots. One per server: the process's own metrics gather from its making on. */
export class PrometheusText {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #counters = COUNTERS.map(([name, key, help]) => ({
    key,
    metric: new Counter({ name: `realtime_${name}`, help, registers: [this.#registry] }),
  }));
  readonly #gauges = GAUGES.map(([name, key, help]) => ({
    key,
    metric: new Gauge({ name: `realtime_${name}`, help, registers: [this.#registry] }),
  }));
  readonly #drops = new Counter({
    name: 'realtime_drops_total',
    help: 'What was not delivered or not read.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });

  constructor() {
    this.contentType = this.#registry.contentType;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The snapshot as text. */
  render(metrics: RealtimeMetrics): Promise<string> {
    for (const { key, metric } of this.#counters) {
      metric.reset();
      metric.inc(metrics[key] ?? 0);
    }
    for (const { key, metric } of this.#gauges) metric.set(metrics[key] ?? NaN);
    this.#drops.reset();
    for (const reason of Object.keys(DROP_REASONS) as (keyof typeof DROP_REASONS)[]) {
      this.#drops.inc({ reason }, metrics.drops[reason]);
    }
    return this.#registry.metrics();
  }
}
