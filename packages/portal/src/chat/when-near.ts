import type { Attachment } from 'svelte/attachments';

/** Calls `reached` when an element comes within `marginPx` of what is in view. */
export function whenNear(reached: () => void, marginPx: number): Attachment<HTMLElement> {
  return (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) reached();
      },
      { rootMargin: `${marginPx}px 0px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
