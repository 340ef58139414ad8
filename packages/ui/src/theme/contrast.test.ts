import { readFile } from 'node:fs/promises';
import { parse, wcagContrast } from 'culori';
import { describe, expect, it } from 'vitest';

const css = await readFile(new URL('./theme.css', import.meta.url), 'utf8');

/** The colours that one rule of the stylesheet sets, by name. */
function colours(selector: string): Record<string, string> {
  const rule = css.split(`\n${selector} {`)[1]?.split('\n}')[0];
  if (rule === undefined) throw new Error(`theme.css has no rule ${selector}`);
  return Object.fromEntries(
    [...rule.matchAll(/--([\w-]+): (oklch\([^)]+\))/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
}

const light = colours(':root');
const dark = { ...light, ...colours('.dark') };
const themes = {
  'student, light': light,
  'student, dark': dark,
  'instructor, light': { ...light, ...colours(":root[data-portal='instructor']") },
  'instructor, dark': { ...dark, ...colours(".dark[data-portal='instructor']") },
};

const grounds = ['paper', 'surface', 'raised'];
const texts = ['ink', 'ink-soft', 'primary', 'success', 'warning', 'danger', 'info'];

describe.each(Object.entries(themes))('%s', (_, theme) => {
  const contrast = (a: string, b: string) => {
    const [first, second] = [theme[a], theme[b]].map((value) => parse(value ?? ''));
    if (!first || !second) throw new Error(`No colour ${a} or ${b}`);
    return wcagContrast(first, second);
  };

  it.each(texts.flatMap((text) => grounds.map((ground) => [text, ground] as const)))(
    'shows %s as text on %s (WCAG 1.4.3: 4.5)',
    (text, ground) => {
      expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('shows the words on a primary button', () => {
    expect(contrast('on-primary', 'primary')).toBeGreaterThanOrEqual(4.5);
  });

  it.each(
    ['live', 'line-strong', 'primary'].flatMap((mark) =>
      ['paper', 'surface'].map((ground) => [mark, ground] as const),
    ),
  )('shows the mark %s on %s (WCAG 1.4.11: 3)', (mark, ground) => {
    expect(contrast(mark, ground)).toBeGreaterThanOrEqual(3);
  });
});
