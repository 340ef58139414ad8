import type { SafeHtml } from './render.ts';

/**
 * Makes an element show other HTML, block by block: paragraphs, lists and tables that stay as they
 * were stay the same nodes, so that the reader's place, a selection and a picture stay, too. What is
 * new is given the class `landed`, if that is wanted.
 */
export async function patchBlocks(
  root: Element,
  html: SafeHtml,
  { isMarked }: { isMarked: boolean },
): Promise<void> {
  const template = document.createElement('template');
  template.innerHTML = html;
  const wanted = [...template.content.children];
  const { diffArrays } = await import('diff');
  const shown = [...root.children];
  let next = 0;
  let place = 0;
  for (const { added, removed, count = 0 } of diffArrays(shown.map(textOf), wanted.map(textOf))) {
    if (removed) {
      for (const block of shown.slice(next, next + count)) block.remove();
      next += count;
    } else if (added) {
      for (const block of wanted.slice(place, place + count)) {
        if (isMarked) block.classList.add('landed');
        root.insertBefore(block, shown[next] ?? null);
      }
      place += count;
    } else {
      next += count;
      place += count;
    }
  }
}

/** What a block says, whether it has just landed or not. */
function textOf(block: Element): string {
  const copy = block.cloneNode(true) as Element;
  copy.classList.remove('landed');
  if (copy.classList.length === 0) copy.removeAttribute('class');
  return copy.outerHTML;
}
