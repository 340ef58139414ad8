import { createHash } from 'node:crypto';
import type { BindingParams } from '../channel/join-config.ts';

/** Upstream's ids have 27 bits. */
const ID_BITS = 27;

/** A binding's id: a number that equal parameters share, whatever the order of their names. */
export function bindingId(params: BindingParams): number {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha1').update(JSON.stringify(sorted)).digest();
  return digest.readUInt32BE(0) >>> (32 - ID_BITS);
}
