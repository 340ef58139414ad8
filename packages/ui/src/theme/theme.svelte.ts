import { createSubscriber } from 'svelte/reactivity';

/** What a reader can choose; `system` is as the device has it, also when that changes. */
export type Theme = 'system' | 'light' | 'dark';

/** Where this browser keeps it. A portal's app.html reads it before the first paint. */
const KEY = 'theme';

/** Another tab's choice comes as this event, and app.html follows it; so does ours. */
const subscribe = createSubscriber((update) => {
  addEventListener('storage', update);
  return () => removeEventListener('storage', update);
});

/** The reader's choice, the same in every tab. */
export const theme = {
  get current(): Theme {
    subscribe();
    const kept = typeof localStorage === 'undefined' ? null : localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  },
  set current(chosen: Theme) {
    localStorage.setItem(KEY, chosen);
    dispatchEvent(new StorageEvent('storage', { key: KEY, newValue: chosen }));
  },
};
