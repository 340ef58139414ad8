const words = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** The day of a certificate, as it stands on it: the same everywhere. */
export function issuedOn({ issuedAt }: { issuedAt: string }): string {
  return words.format(Date.parse(issuedAt));
}
