/** The first letters of a name's first and last word, at most two. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const [first, last] = [words.at(0), words.length > 1 ? words.at(-1) : undefined];
  return [first, last].map((word) => Array.from(word ?? '')[0]?.toUpperCase() ?? '').join('');
}

/** A hue (0–359) that is always the same for a name. */
export function hueOf(name: string): number {
  return Array.from(name).reduce(
    (hue, letter) => (hue * 31 + (letter.codePointAt(0) ?? 0)) % 360,
    7,
  );
}
