import type { OnlineUser } from '@homeroom/realtime';

/** Who is here, in words, as far as a tooltip has room. */
export function hereWords(people: readonly Pick<OnlineUser, 'name' | 'status'>[]): string {
  const names = people.map(({ name, status }) => (status === 'away' ? `${name} (away)` : name));
  const rest = names.length - 20;
  return rest > 0 ? `${names.slice(0, 20).join(', ')} and ${rest} more` : names.join(', ');
}
