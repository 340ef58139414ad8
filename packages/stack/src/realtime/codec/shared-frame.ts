import type { SerializerVersion } from './client-message.ts';

/**
 * One message for many sockets: encoded at most once per serializer version, when the first
 * socket of that version needs it. `null` where a version cannot carry it.
 */
export class SharedFrame {
  readonly #encode: (version: SerializerVersion) => Buffer | null;
  /** Of a message from the database; null for all else. */
  readonly id: string | null;
  #v1: Buffer | null | undefined;
  #v2: Buffer | null | undefined;

  constructor(encode: (version: SerializerVersion) => Buffer | null, id: string | null = null) {
    this.#encode = encode;
    this.id = id;
  }

  /** The frame for sockets of this version. */
  for(version: SerializerVersion): Buffer | null {
    if (version === '2.0.0') return (this.#v2 ??= this.#v2 === null ? null : this.#encode(version));
    return (this.#v1 ??= this.#v1 === null ? null : this.#encode(version));
  }
}
