import type { Person } from '@homeroom/api/contract';

/** Somebody who is named in a text, as they are called there. */
export type Mention = Pick<Person, 'id' | 'name'>;

const MARKUP = /\[@([^\]]*)\]\(mention:([\da-f-]{36})\)/g;
/** A name being written: an @ at the beginning of a word, and up to three words after it. */
const BEGUN = /(?:^|\s)@([^\s@]*(?: [^\s@]+){0,2})$/;

/** A message's markup as one writes it, with those whom it names. */
export function toWritten(markup: string): { text: string; mentions: Mention[] } {
  const mentions = [...markup.matchAll(MARKUP)].map(([, name = '', id = '']) => ({ id, name }));
  return { text: markup.replaceAll(MARKUP, '@$1'), mentions };
}

/** What was written as a message's markup: each `@name` of those who were chosen. */
export function toMarkup(text: string, mentions: readonly Mention[]): string {
  const names = mentions.map(({ name }) => name).filter((name) => name !== '');
  if (names.length === 0) return text;
  // The longest first: "@Ann One" isn't "@Ann" and a word.
  const anyName = names
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`))
    .join('|');
  return text.replaceAll(
    new RegExp(`(?<![\\p{L}\\p{N}])@(${anyName})(?![\\p{L}\\p{N}])`, 'gu'),
    (whole, name) => {
      const mention = mentions.find((one) => one.name === name);
      return mention ? `[@${mention.name}](mention:${mention.id})` : whole;
    },
  );
}

/** The name that is being written at the caret: where it begins, and what there is of it. */
export function mentionBegun(
  text: string,
  caret: number,
): { from: number; words: string } | undefined {
  const words = BEGUN.exec(text.slice(0, caret))?.[1];
  return words === undefined ? undefined : { from: caret - words.length - 1, words };
}

/** How somebody is called in a text: without what would end the markup. */
export function toMention({ id, name }: Person): Mention {
  return { id, name: name.replaceAll(/[[\]@]/g, '').trim() };
}
