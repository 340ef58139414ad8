import type { Attachment } from 'svelte/attachments';

/** Whether keys belong to what is being written or chosen, rather than to the page. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable="true"], dialog[open]') !== null
  );
}

/**
 * The row to go to from `current` (-1: none yet), or undefined when there is none.
 * `j` and `k` are down and up, as in mail programs since vi.
 */
export function nextRow(key: string, current: number, count: number): number | undefined {
  const next = key === 'j' ? current + 1 : key === 'k' ? current - 1 : undefined;
  return next !== undefined && next >= 0 && next < count ? next : undefined;
}

/**
 * Lets `j` and `k` move the focus along what is marked `data-row` in this list, from anywhere on
 * the page. `onKey` gets every other key pressed on a row, with the row's `data-row`.
 */
export function rowKeys(onKey?: (key: string, row: string) => void): Attachment<HTMLElement> {
  return (list) => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const rows = [...list.querySelectorAll<HTMLElement>('[data-row]')];
      const current = rows.findIndex((row) => row === document.activeElement);
      const next = nextRow(event.key, current, rows.length);
      if (next !== undefined) {
        event.preventDefault();
        rows[next]?.focus();
        rows[next]?.scrollIntoView({ block: 'nearest' });
      } else if (current >= 0) {
        onKey?.(event.key, rows[current]?.dataset.row ?? '');
      }
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  };
}
