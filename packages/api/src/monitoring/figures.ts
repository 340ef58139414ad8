import type { BrowserReport } from './contract.ts';
import { countInto, emptyBuckets } from './histogram.ts';

/** What a portal counts between two of its writes, named as `private.monitoring_minutes` is. */
export type Figures = ReturnType<typeof noFigures>;

/** Nothing counted yet. */
export function noFigures() {
  return {
    calls: 0,
    failed_calls: 0,
    call_buckets: emptyBuckets(),
    tabs: 0,
    live_tabs: 0,
    opened: 0,
    failed: 0,
    lost: 0,
    recovered: 0,
    messages: 0,
    screen_buckets: emptyBuckets(),
    live_seconds: 0,
    still_seconds: 0,
    live_actions: 0,
    still_actions: 0,
    browser_errors: 0,
  };
}

/** Adds what a tab reports. */
export function addReport(figures: Figures, report: BrowserReport): void {
  figures.opened += report.opened;
  figures.failed += report.failed;
  figures.lost += report.lost;
  figures.recovered += report.recovered;
  figures.messages += report.messages;
  figures.live_seconds += Math.round(report.liveSeconds);
  figures.still_seconds += Math.round(report.stillSeconds);
  figures.live_actions += report.liveActions;
  figures.still_actions += report.stillActions;
  figures.browser_errors += report.errors.length;
  for (const ms of report.screenMs) countInto(figures.screen_buckets, ms);
}
