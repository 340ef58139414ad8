/** What the address of the charts asks for: whole days in a time zone. */
export type Period = { from: string; to: string; timeZone: string };

/** The periods that are one click away, days. */
export const PERIODS = [7, 30, 90, 365] as const;
const DAYS_DEFAULT = 30;
const DAY_MS = 86_400_000;

const isDay = (text: string | null): text is string =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** So many days that end today, in a time zone. */
export function lastDays(days: number, timeZone: string, now: number): Period {
  // Sweden writes dates as ISO does.
  const to = new Intl.DateTimeFormat('sv', { timeZone }).format(now);
  const from = new Date(Date.parse(to) - (days - 1) * DAY_MS).toISOString().slice(0, 10);
  return { from, to, timeZone };
}

/** The period of an address; what makes no sense is as if it weren't there. */
export function readPeriod(params: URLSearchParams, ownZone: string, now: number): Period {
  const asked = params.get('zone') ?? '';
  const timeZone = Intl.supportedValuesOf('timeZone').includes(asked) ? asked : ownZone;
  const from = params.get('from');
  const to = params.get('to');
  if (isDay(from) && isDay(to) && from <= to) return { from, to, timeZone };
  return lastDays(DAYS_DEFAULT, timeZone, now);
}

/** The address of a period. */
export function searchOf({ from, to, timeZone }: Period): string {
  return `?${new URLSearchParams({ from, to, zone: timeZone }).toString()}`;
}
