import type { MonitoredMinute, MonitoringOverview } from '@homeroom/api/contract';

type Counted = Exclude<keyof MonitoredMinute, 'minute'>;

/** Of the last minute that is over: the present one has only begun. */
const MINUTE_MS = 60_000;

/** The figures on top of the page, of an hour. */
export function totalsOf({ at, minutes, screen }: MonitoringOverview) {
  const sum = (what: Counted) => minutes.reduce((total, minute) => total + minute[what], 0);
  const tried = sum('opened') + sum('failed');
  const now = Date.parse(at);
  const ofMinute = (start: number) => minutes.find(({ minute }) => Date.parse(minute) === start);
  const thisMinute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const present = ofMinute(thisMinute) ?? ofMinute(thisMinute - MINUTE_MS);
  const isOver = ofMinute(thisMinute - MINUTE_MS) !== undefined;
  return {
    tabs: present?.tabs ?? 0,
    liveTabs: present?.liveTabs ?? 0,
    /** Null as long as nobody has tried. */
    successPercent: tried === 0 ? null : (100 * sum('opened')) / tried,
    messagesPerMinute: (isOver ? ofMinute(thisMinute - MINUTE_MS) : present)?.messages ?? 0,
    screenP95Ms: screen.p95Ms,
    errors: sum('failedCalls') + sum('browserErrors'),
    lost: sum('lost'),
    recovered: sum('recovered'),
  };
}

/** Sixty minutes up to now, the oldest first, with zeros where nothing happened. */
export function hourOf({
  at,
  minutes,
}: MonitoringOverview): { at: number; messages: number; calls: number }[] {
  const byMinute = new Map(minutes.map((minute) => [Date.parse(minute.minute), minute]));
  const last = Math.floor(Date.parse(at) / MINUTE_MS) * MINUTE_MS;
  return Array.from({ length: 60 }, (_, index) => {
    const start = last - (59 - index) * MINUTE_MS;
    const { messages = 0, calls = 0 } = byMinute.get(start) ?? {};
    return { at: start, messages, calls };
  });
}

/** A duration as people say it: `8.5 ms`, `340 ms`, `1.2 s`; a dash for none. */
export function inWords(ms: number | null): string {
  if (ms === null) return '–';
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 20 ? Math.round(ms) : Math.round(ms * 10) / 10} ms`;
}
