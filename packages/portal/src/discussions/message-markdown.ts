import type { ThreadMessage } from '@homeroom/api/contract';

/**
 * What a message says, in Markdown. Whom it names is called by their present name, whatever the text
 * says.
 */
export function messageMarkdown({
  content,
  mentions,
}: Pick<ThreadMessage, 'content' | 'mentions'>): string {
  const names = new Map(mentions.map((person) => [person?.id, person?.name]));
  return content.replaceAll(
    /\[@[^\]]*\]\(mention:([\da-f-]{36})\)/g,
    (_, id: string) => `**@${escaped(names.get(id) ?? 'someone')}**`,
  );
}

/** A name is no Markdown. */
function escaped(name: string): string {
  return name.replaceAll(/[\\`*_{}[\]()<>#+\-.!|~]/g, String.raw`\$&`);
}
