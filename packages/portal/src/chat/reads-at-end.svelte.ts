import { useConnection } from '@homeroom/realtime';
import { fromStore } from 'svelte/store';

/** What {@link readsAtEnd} needs. */
type Options = {
  /** An element behind the last message. */
  end(): HTMLElement | undefined;
  /** The number of the newest message that is shown. */
  newest(): number | undefined;
  /** How far one has read, on any device. */
  readNumber(): number;
  markAsRead(number: number): void;
};

/**
 * What is in view at the end is read at once, while the page is in front. Call it while a component
 * is being set up; the answer leaves messages unread, once somebody has said so, for this visit.
 */
export function readsAtEnd({ end, newest, readNumber, markAsRead }: Options): () => void {
  let isInView = $state(false);
  let isInFront = $state(false);
  let isLeftUnread = $state(false);
  const connection = fromStore(useConnection());
  const status = $derived(connection.current.status);
  /** What was last said, and how the connection was. Not said is taken back, and looks unread again. */
  let said = '';

  $effect(() => {
    const element = end();
    if (!element) return;
    const observer = new IntersectionObserver((entries) => {
      isInView = entries.at(-1)?.isIntersecting ?? false;
    });
    observer.observe(element);
    return () => observer.disconnect();
  });
  $effect(() => {
    const look = () => (isInFront = document.visibilityState === 'visible');
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  });
  $effect(() => {
    const number = newest();
    if (!isInView || !isInFront || isLeftUnread || number === undefined) return;
    if (status === 'offline' || readNumber() >= number) return;
    // Once for each message and each state of the connection: it is tried again when that is back.
    const saying = `${number} ${status}`;
    if (said === saying) return;
    said = saying;
    markAsRead(number);
  });
  return () => (isLeftUnread = true);
}
