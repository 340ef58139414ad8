import { encode } from 'uqr';

/** A QR code as one shape: dark modules of 1 × 1, without the quiet zone around it. */
export type QrShape = { size: number; path: string };

/** The modules of quiet that the standard wants around a code. */
export const QR_QUIET = 4;

/** The QR code of a text, of medium error correction: still read with a seventh of it dirty. */
export function qrShape(text: string): QrShape {
  const { data, size } = encode(text, { ecc: 'M', border: 0 });
  const path = data.flatMap((row, y) =>
    stretches(row).map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`),
  );
  return { size, path: path.join('') };
}

/** Where dark modules lie side by side in a row: the first of them, and how many. */
function stretches(row: boolean[]): [x: number, width: number][] {
  const found: [number, number][] = [];
  row.forEach((isDark, x) => {
    const last = found.at(-1);
    if (!isDark) return;
    if (last && last[0] + last[1] === x) last[1] += 1;
    else found.push([x, 1]);
  });
  return found;
}
