import type { Database } from '@homeroom/db';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { ApiError } from '../server/errors.ts';
import { onceMoreIfLost } from '../server/lost-connection.ts';
import type { BrowserReport } from './contract.ts';
import { addReport, noFigures } from './figures.ts';
import { countInto } from './histogram.ts';
import { createMetrics } from './metrics.ts';
import { readJobs, readQueues } from './queries.ts';
import { Tabs } from './tabs.ts';

/** How often what was counted is written for the administrators' page. */
const WRITE_MS = 3_000;

/** Watches one portal's process: for Prometheus, and for the administrators' page. */
export type Monitor = {
  /** A procedure was called. */
  called(procedure: string, durationMs: number, error: ApiError | null): void;
  /** A tab has reported. */
  reported(report: BrowserReport): void;
  /** Prometheus's text. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Writes what was counted since the last time. */
  write(): Promise<void>;
  close(): void;
};

/** Makes the monitor of a portal. It writes as role `postgres`, and only what it has counted. */
export function createMonitor(database: Database, portal: string, log: Logger): Monitor {
  const metrics = createMetrics();
  const tabs = new Tabs();
  let figures = noFigures();
  let errors: BrowserReport['errors'] = [];
  let timer: NodeJS.Timeout | undefined;

  /** The first thing counted starts the clock: an idle process writes nothing. */
  const writeSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void write();
    }, WRITE_MS).unref();
  };

  async function write(): Promise<void> {
    const written = { figures, errors };
    figures = noFigures();
    errors = [];
    const { open, live } = tabs.count();
    Object.assign(written.figures, { tabs: open, live_tabs: live });
    try {
      await database.execute(sql`
        select private.add_monitoring(${portal}, ${JSON.stringify(written.figures)}::text::jsonb)`);
      for (const { place, message, path } of written.errors) {
        await database.execute(
          sql`select private.note_browser_error(${portal}, ${place}, ${message}, ${path})`,
        );
      }
    } catch (error) {
      // These seconds are missing from the page; Prometheus has them.
      log.warn({ err: error }, 'monitoring was not written');
    }
    if (open > 0) writeSoon();
  }

  return {
    called(procedure, durationMs, error) {
      metrics.calls.observe({ procedure, outcome: error?.appCode ?? 'ok' }, durationMs / 1000);
      figures.calls += 1;
      if (error && error.status >= 500) figures.failed_calls += 1;
      countInto(figures.call_buckets, durationMs);
      writeSoon();
    },
    reported(report) {
      tabs.report(report.tabId, report);
      addReport(figures, report);
      for (const what of ['opened', 'failed', 'lost', 'recovered'] as const) {
        if (report[what] > 0) metrics.connections.inc({ what }, report[what]);
      }
      metrics.messages.inc(report.messages);
      metrics.browserErrors.inc(report.errors.length);
      for (const ms of report.screenMs) metrics.screen.observe(ms / 1000);
      for (const error of report.errors) log.warn(error, 'error in a browser');
      errors.push(...report.errors);
      writeSoon();
    },
    async metrics() {
      const { open, live } = tabs.count();
      metrics.tabs.set({ live: 'true' }, live);
      metrics.tabs.set({ live: 'false' }, open - live);
      try {
        const [queues, jobs] = await onceMoreIfLost(() =>
          Promise.all([readQueues(database), readJobs(database)]),
        );
        metrics.setState({ queues, jobs });
      } catch (error) {
        log.warn({ err: error }, 'the database did not answer a scrape');
        metrics.setState(null);
      }
      const { registry } = metrics;
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    write,
    close() {
      clearTimeout(timer);
    },
  };
}
