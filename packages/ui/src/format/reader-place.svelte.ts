import { onMount } from 'svelte';

/**
 * In whose language and zone times are written. On the server, and until the page is alive, nobody
 * knows the reader's: British English and UTC; then what the browser says. Call it while a
 * component is being set up.
 */
export function readerPlace(): { readonly locale: string; readonly zone: string | undefined } {
  let isAlive = $state(false);
  onMount(() => {
    isAlive = true;
  });
  return {
    get locale() {
      return isAlive ? navigator.language : 'en-GB';
    },
    get zone() {
      return isAlive ? undefined : 'UTC';
    },
  };
}
