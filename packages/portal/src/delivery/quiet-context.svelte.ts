import type { Me } from '@homeroom/api/contract';
import { currentTime } from '@homeroom/ui';
import { createContext } from 'svelte';
import { isQuietAt } from './quiet.ts';

/** Whether nothing may ring now; what arrives is shown and counted all the same. */
export type Quiet = {
  readonly isQuiet: boolean;
  /** When it ends, by the clock of the reader's time zone. */
  readonly until: string;
};

const [useQuiet, setQuiet] = createContext<Quiet>();

/** Whether it is quiet now, for every component of a signed-in page. */
export { useQuiet };

/** Gives everything below the quiet hours of who is signed in. Call it while a component is set up. */
export function keepQuiet(me: () => Pick<Me, 'quietHours' | 'timeZone'>): void {
  const clock = currentTime();
  const isQuiet = $derived(isQuietAt(me().quietHours, me().timeZone, clock.now));
  setQuiet({
    get isQuiet() {
      return isQuiet;
    },
    get until() {
      return me().quietHours?.to ?? '';
    },
  });
}
