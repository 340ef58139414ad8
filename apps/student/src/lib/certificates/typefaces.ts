import figtree from '@fontsource/figtree/unicode.json' with { type: 'json' };
import newsreader from '@fontsource/newsreader/unicode.json' with { type: 'json' };
import notoSerif from '@fontsource/noto-serif/unicode.json' with { type: 'json' };
import { createRequire } from 'node:module';

/**
 * The portal's own typefaces for a PDF, in static cuts: a PDF can't hold a variable font. Each comes
 * in files by script, so a text is set in runs, each with the first file that has its letters.
 */
export type Typeface = keyof typeof TYPEFACES;

const RANGES: Record<string, Record<string, string>> = {
  figtree,
  newsreader,
  'noto-serif': notoSerif,
};

const SERIF = ['latin', 'latin-ext', 'vietnamese'];
/** What Newsreader doesn't have, in a typeface that goes with it. */
const SCRIPTS = ['cyrillic', 'cyrillic-ext', 'greek', 'greek-ext'];

const TYPEFACES = {
  serif: serif('400-normal'),
  medium: serif('500-normal'),
  bold: serif('600-normal'),
  italic: serif('400-italic'),
  sans: files('figtree', ['latin', 'latin-ext'], '400-normal'),
};

/** A stretch of text that one file has all letters of. */
export type Run = { file: string; text: string };

/** A text has letters that none of the files has: it names them. */
export class LettersMissingError extends Error {
  override readonly name = 'LettersMissingError';
}

/** A text as runs, each with the file to set it in. @throws LettersMissingError */
export function runsOf(typeface: Typeface, text: string): Run[] {
  const runs: Run[] = [];
  for (const letter of text.normalize('NFC')) {
    const last = runs.at(-1);
    const code = letter.codePointAt(0) ?? 0;
    // Spaces and marks stay in the run that they follow, where its file has them.
    const before = TYPEFACES[typeface].find(({ file }) => file === last?.file);
    const found = before?.has(code) ? before : TYPEFACES[typeface].find(({ has }) => has(code));
    if (!found) throw new LettersMissingError(`No typeface has "${letter}"`);
    if (last?.file === found.file) last.text += letter;
    else runs.push({ file: found.file, text: letter });
  }
  return runs;
}

function serif(cut: string) {
  return [...files('newsreader', SERIF, cut), ...files('noto-serif', SCRIPTS, cut)];
}

function files(family: string, subsets: string[], cut: string) {
  const { resolve } = createRequire(import.meta.url);
  return subsets.map((subset) => ({
    file: resolve(`@fontsource/${family}/files/${family}-${subset}-${cut}.woff`),
    has: inRanges(RANGES[family]?.[subset] ?? ''),
  }));
}

/** Whether a code point is in ranges as CSS writes them: `U+0000-00FF,U+0131`. */
function inRanges(css: string): (code: number) => boolean {
  const ranges = css.split(',').map((range) => {
    const [from = '', to = from] = range.replace('U+', '').split('-');
    return [parseInt(from, 16), parseInt(to, 16)] as const;
  });
  return (code) => ranges.some(([from, to]) => code >= from && code <= to);
}
