import { LRUCache } from 'lru-cache';
import { renderMarkdown as render, type SafeHtml } from './render.ts';

/**
 * Texts that were rendered last, by their Markdown: a page of 3,000 letters takes 5 ms, more than all
 * the rest of a request, and is the same for everybody. At most so many letters, of Markdown and HTML.
 */
const remembered = new LRUCache<string, SafeHtml>({
  maxSize: 8_000_000,
  sizeCalculation: (html, markdown) => html.length + markdown.length + 1,
});

/** Markdown as safe HTML, on the server: each text once. */
export function renderMarkdown(markdown: string): SafeHtml {
  const known = remembered.get(markdown);
  if (known !== undefined) return known;
  const html = render(markdown);
  remembered.set(markdown, html);
  return html;
}
