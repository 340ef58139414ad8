const hourMinutes = 60;

/** How long someone was there, as people say it: `48 min`, `1 h 05 min`; nothing below a minute. */
export function timePresent(seconds: number): string | undefined {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return undefined;
  if (minutes < hourMinutes) return `${minutes} min`;
  const rest = String(minutes % hourMinutes).padStart(2, '0');
  return `${Math.floor(minutes / hourMinutes)} h ${rest} min`;
}
