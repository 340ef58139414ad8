import type { Me } from '@homeroom/api/contract';

/** What a person is called: their name, or their address as long as they haven't given one. */
export function displayName({ firstName, lastName, email }: Me): string {
  return `${firstName} ${lastName}`.trim() || email;
}
