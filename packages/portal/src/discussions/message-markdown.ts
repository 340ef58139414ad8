import type { ThreadMessage } from '@homeroom/api/contract';
import { renderMarkdown } from '../markdown/render.ts';

/**
 * What a message says, as HTML that is safe to show. Whom it names is shown by their present name,
 * whatever the text says.
 */
export function messageHtml({ content, mentions }: Pick<ThreadMessage, 'content' | 'mentions'>) {
  const names = new Map(mentions.map((person) => [person?.id, person?.name]));
  const named = content.replaceAll(
    /\[@[^\]]*\]\(mention:([\da-f-]{36})\)/g,
    (_, id: string) => `**@${escaped(names.get(id) ?? 'someone')}**`,
  );
  return renderMarkdown(named);
}

/** A name is no Markdown. */
function escaped(name: string): string {
  return name.replaceAll(/[\\`*_{}[\]()<>#+\-.!|~]/g, String.raw`\$&`);
}
