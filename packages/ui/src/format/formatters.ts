/**
 * Formatters by what they were made from. Making one takes 50 times as long as using it, and a page
 * is full of numbers and times. As many as there are formats in our code and time zones of readers.
 */
const made = new Map<string, unknown>();

function remember<Formatter>(key: unknown[], make: () => Formatter): Formatter {
  const name = JSON.stringify(key);
  if (!made.has(name)) made.set(name, make());
  return made.get(name) as Formatter;
}

/** `new Intl.NumberFormat`, made once. */
export const numberFormat = (locale: string, options?: Intl.NumberFormatOptions) =>
  remember(['number', locale, options], () => new Intl.NumberFormat(locale, options));

/** `new Intl.DateTimeFormat`, made once. */
export const dateTimeFormat = (locale: string, options: Intl.DateTimeFormatOptions) =>
  remember(['time', locale, options], () => new Intl.DateTimeFormat(locale, options));

/** `new Intl.RelativeTimeFormat`, made once. */
export const relativeTimeFormat = (locale: string, options: Intl.RelativeTimeFormatOptions) =>
  remember(['relative', locale, options], () => new Intl.RelativeTimeFormat(locale, options));
