import { renderMarkdown } from './remembered.ts';
import type { RenderedTexts } from './texts.svelte.ts';

/** Renders texts for `markdownTexts`, on the server. */
export function renderTexts(texts: readonly string[]): RenderedTexts {
  return texts.map((markdown) => [markdown, renderMarkdown(markdown)]);
}
