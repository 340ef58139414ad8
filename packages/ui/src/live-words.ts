/** What the live dot can say. */
export type LiveDotState =
  'connecting' | 'live' | 'catching-up' | 'polling' | 'offline' | 'stopped';

const words: Record<LiveDotState, string> = {
  connecting: 'Connecting…',
  live: 'Live.',
  'catching-up': 'Catching up on what was missed…',
  polling: 'The live connection is down. Looking for news every few seconds.',
  offline: 'Offline. This is what was here last.',
  stopped: 'Not live any more. Load the page again.',
};

/** What the live dot can say beside its state. */
export type LiveFacts = { lastEventAt?: number; latencyMs?: number; now: number };

/**
 * The live dot in words: the state, and when live, the last change and how fast it came.
 * Moments are in milliseconds since 1970.
 */
export function liveWords(state: LiveDotState, { lastEventAt, latencyMs, now }: LiveFacts): string {
  if (state !== 'live' || lastEventAt === undefined) return words[state];
  const seconds = Math.max(0, Math.round((now - lastEventAt) / 1000));
  const ago = seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  const speed =
    latencyMs === undefined
      ? ''
      : `, on your screen ${Math.max(1, Math.round(latencyMs))} ms after it happened`;
  return `Live. Last change ${ago} ago${speed}.`;
}
