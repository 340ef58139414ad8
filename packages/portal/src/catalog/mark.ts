import { hueOf } from '@homeroom/ui/initials';

/** A course's own mark, always the same for its address: rings about a centre of their own. */
export type CourseMark = { hue: number; rings: { x: number; y: number; radius: number }[] };

/** The mark of a course, on a square of 48. */
export function courseMark(slug: string): CourseMark {
  const hue = hueOf(slug);
  // The hue is all the randomness that is needed: neighbours in it look different enough.
  const angle = (hue * 137.5 * Math.PI) / 180;
  const x = 24 + Math.cos(angle) * 20;
  const y = 24 + Math.sin(angle) * 20;
  const gap = 6 + (hue % 4);
  const rings = Array.from({ length: Math.ceil(64 / gap) }, (_, index) => ({
    x,
    y,
    radius: (index + 0.5) * gap,
  }));
  return { hue, rings };
}
