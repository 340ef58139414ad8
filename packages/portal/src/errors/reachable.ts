/** Between two questions, ms; the longer it lasts the rarer. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/**
 * Calls `onReachable` once the portal answers: asks at once, then again and again, also when the
 * browser says that the network is back. Gives what ends it.
 */
export function whenReachable(onReachable: () => void): () => void {
  const ended = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = FIRST_WAIT_MS;

  const ask = async () => {
    clearTimeout(timer);
    // Any answer is one, also that the database is down: then the page says so.
    const answers = await fetch('/health', { cache: 'no-store', signal: ended.signal }).then(
      () => true,
      () => false,
    );
    if (ended.signal.aborted) return;
    if (answers) {
      ended.abort();
      onReachable();
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), waitMs);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  };

  addEventListener('online', () => void ask(), { signal: ended.signal });
  void ask();
  return () => {
    clearTimeout(timer);
    ended.abort();
  };
}
