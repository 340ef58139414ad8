/** What was asked last, and whether the newest question went unanswered. */
export type Polled<Data> = { readonly data: Data; readonly isStale: boolean };

/**
 * Asks again and again while somebody looks, one question at a time. Call it while a component is
 * being set up. For what is a sum over time, which no topic tells.
 */
export function polled<Data>(
  initial: () => Data,
  load: (signal: AbortSignal) => Promise<Data>,
  everyMs: number,
): Polled<Data> {
  let asked = $state.raw<Data>();
  let isStale = $state(false);

  $effect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      if (document.visibilityState === 'visible') {
        try {
          asked = await load(leaving.signal);
          isStale = false;
        } catch {
          // Said on the page; the next question comes by itself.
          isStale = true;
        }
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    timer = setTimeout(() => void ask(), everyMs);
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  });

  return {
    get data() {
      return asked ?? initial();
    },
    get isStale() {
      return isStale;
    },
  };
}
