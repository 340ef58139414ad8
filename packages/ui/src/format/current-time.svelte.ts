/** How often what depends on the time of day is looked at again, ms. */
const TICK_MS = 5_000;

/**
 * The time now, in milliseconds since 1970, which goes on while the component is there: for what
 * opens and closes by the clock. Call it while a component is being set up.
 */
export function currentTime(): { readonly now: number } {
  let now = $state(Date.now());
  $effect(() => {
    const timer = setInterval(() => (now = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      return now;
    },
  };
}
