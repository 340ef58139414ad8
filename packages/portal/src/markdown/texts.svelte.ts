import type { renderMarkdown, SafeHtml } from './render.ts';

/** Texts in Markdown, each with its HTML. */
export type RenderedTexts = readonly (readonly [markdown: string, html: SafeHtml])[];

/** Gives a text's HTML; null while it can't be made yet. */
export type TextOf = (markdown: string) => SafeHtml | null;

/**
 * Makes HTML of texts that come and go: of those that the server rendered at once; of others as
 * soon as the code for it is there, which is as big as a whole page's and is loaded with the first
 * of them. Call it while a component is being set up.
 */
export function markdownTexts(initial: RenderedTexts): TextOf {
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- it never changes
  const known = new Map(initial);
  let render = $state.raw<typeof renderMarkdown>();
  let isLoading = false;

  const load = async () => {
    if (isLoading) return;
    isLoading = true;
    try {
      render = (await import('./render.ts')).renderMarkdown;
    } finally {
      isLoading = false; // without the network the next text asks again
    }
  };

  return (markdown) => {
    const html = known.get(markdown) ?? render?.(markdown) ?? null;
    if (html === null) void load();
    return html;
  };
}
