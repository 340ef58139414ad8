import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified, type Plugin } from 'unified';
import type { Root } from 'hast';

/** HTML that was made from Markdown here, and nowhere else. */
export type SafeHtml = string & { readonly isSafe: unique symbol };

/**
 * What may be in a text that people write: GitHub's list without pictures from elsewhere in
 * `data:` and the like. Links go to the web or to an address for mail, nowhere else.
 */
const schema = {
  ...defaultSchema,
  protocols: {
    ...defaultSchema.protocols,
    href: ['http', 'https', 'mailto'],
    src: ['https'],
  },
};

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  // HTML in the text isn't parsed at all: it disappears here.
  .use(remarkRehype)
  .use(rehypeSanitize, schema)
  .use(finishElements)
  .use(rehypeStringify);

/**
 * Markdown (CommonMark with GitHub's tables, task lists and strikethrough) as HTML that is safe to
 * show, whoever wrote it: the tree is made from the Markdown and filtered before it becomes text.
 */
export function renderMarkdown(markdown: string): SafeHtml {
  return String(processor.processSync(markdown)) as SafeHtml;
}

/**
 * Where a link leads doesn't learn where it was, nor does it count as our recommendation. What is
 * wider than the page is scrolled by keys, too.
 */
function finishElements(): ReturnType<Plugin<[], Root>> {
  return (tree) => {
    const walk = (node: Root | Root['children'][number]): void => {
      if (node.type === 'element' && node.tagName === 'a') {
        const href = node.properties.href;
        if (typeof href === 'string' && /^https?:/.test(href)) {
          node.properties.rel = ['noopener', 'noreferrer', 'nofollow'];
        }
      }
      if (node.type === 'element' && ['pre', 'table'].includes(node.tagName)) {
        node.properties.tabIndex = 0;
      }
      if ('children' in node) for (const child of node.children) walk(child);
    };
    walk(tree);
  };
}
