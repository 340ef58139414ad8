/**
 * What clients send, read from a frame. Pure: bytes in, a message or `null` out. A frame that is
 * none of ours is `null`: upstream logs it, drops it and keeps the connection.
 */
import { JSON_ENCODING, type BinaryPayload } from './encoding.ts';

/** `vsn` of the handshake: 1.0.0 is JSON objects, 2.0.0 JSON arrays and binary frames. */
export type SerializerVersion = '1.0.0' | '2.0.0';

/** The five fields that every frame has. `joinRef` is null where the client left it out. */
export type ClientMessage = {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
  /** Set for a broadcast that came as a binary frame (kind 3): its payload, untouched. */
  binary: BinaryPayload | null;
  /** What such a frame says to the server, and to nobody else; undefined where it says nothing. */
  metadata?: unknown;
};

const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST_PUSH_HEADER_BYTES = 7;

/** Reads a text frame. */
export function decodeText(version: SerializerVersion, text: string): ClientMessage | null {
  const parsed = parseJson(text);
  if (version === '2.0.0') {
    if (!Array.isArray(parsed) || parsed.length < 5) return null;
    return message(parsed[0], parsed[1], parsed[2], parsed[3], parsed[4]);
  }
  if (!isRecord(parsed) || !('payload' in parsed)) return null;
  return message(parsed.join_ref, parsed.ref, parsed.topic, parsed.event, parsed.payload);
}

/** Reads a binary frame (2.0.0 only): a user's broadcast, kind 3. */
export function decodeBinary(frame: Buffer): ClientMessage | null {
  if (frame.length < USER_BROADCAST_PUSH_HEADER_BYTES || frame[0] !== USER_BROADCAST_PUSH) {
    return null;
  }
  const fields: string[] = [];
  let offset = USER_BROADCAST_PUSH_HEADER_BYTES;
  for (let field = 1; field <= 5; field += 1) {
    const end = offset + (frame[field] ?? 0);
    if (end > frame.length) return null;
    fields.push(frame.toString('utf8', offset, end));
    offset = end;
  }
  const [joinRef, ref, topic, event, metadata] = fields as [string, string, string, string, string];
  if (topic === '' || event === '') return null;
  return {
    joinRef: joinRef === '' ? null : joinRef,
    ref: ref === '' ? null : ref,
    topic,
    event: 'broadcast',
    payload: null,
    binary: { event, isJson: frame[6] === JSON_ENCODING, bytes: frame.subarray(offset) },
    ...(metadata === '' ? {} : { metadata: parseJson(metadata) }),
  };
}

function message(
  joinRef: unknown,
  ref: unknown,
  topic: unknown,
  event: unknown,
  payload: unknown,
): ClientMessage | null {
  if (typeof topic !== 'string' || typeof event !== 'string') return null;
  if (!isRef(joinRef) || !isRef(ref)) return null;
  return { joinRef: joinRef ?? null, ref: ref ?? null, topic, event, payload, binary: null };
}

function isRef(value: unknown): value is string | null | undefined {
  return value === null || value === undefined || typeof value === 'string';
}

/** A JSON object, as opposed to an array, a scalar or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a JSON text, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
