/**
 * What the server sends, as whole WebSocket frames. Pure. Payloads arrive as JSON text, so a
 * payload is turned into text once, however many envelopes it gets.
 */
import { parseJson, type SerializerVersion } from './client-message.ts';
import { BINARY_ENCODING, JSON_ENCODING, type BinaryPayload } from './encoding.ts';
import { binaryFrame, textFrame } from './websocket-frame.ts';

/** The envelope of one server message; `payload` is JSON text. */
export type ServerMessage = {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: string;
};

const USER_BROADCAST = 4;
const USER_BROADCAST_HEADER_BYTES = 5;
/** Sizes in binary frames are one byte. */
const MAX_FIELD_BYTES = 255;

/** Any message as a text frame. 1.0.0 has no `join_ref` on its way to the client. */
export function encodeMessage(version: SerializerVersion, message: ServerMessage): Buffer {
  const { joinRef, ref, topic, event, payload } = message;
  const fields = `${JSON.stringify(topic)}`;
  if (version === '2.0.0') {
    const refs = `${JSON.stringify(joinRef)},${JSON.stringify(ref)}`;
    return textFrame(`[${refs},${fields},${JSON.stringify(event)},${payload}]`);
  }
  const ending = `"event":${JSON.stringify(event)},"payload":${payload},"ref":${JSON.stringify(ref)}`;
  return textFrame(`{"topic":${fields},${ending}}`);
}

/** `phx_reply` to the message with these refs. */
export function encodeReply(
  version: SerializerVersion,
  to: { joinRef: string | null; ref: string | null; topic: string },
  status: 'ok' | 'error',
  response: unknown,
): Buffer {
  const payload = `{"status":"${status}","response":${JSON.stringify(response)}}`;
  return encodeMessage(version, { ...to, event: 'phx_reply', payload });
}

/** A broadcast whose payload is a text frame's: `{ type, event, payload, meta? }` as JSON. */
export function encodeTextBroadcast(
  version: SerializerVersion,
  topic: string,
  payload: string,
): Buffer {
  return encodeMessage(version, { joinRef: null, ref: null, topic, event: 'broadcast', payload });
}

/**
 * A user's broadcast: kind 4 to 2.0.0, text to 1.0.0, which cannot carry bytes: `null` there.
 * `meta` is JSON text, or empty.
 */
export function encodeUserBroadcast(
  version: SerializerVersion,
  topic: string,
  payload: BinaryPayload,
  meta: string,
): Buffer | null {
  if (version === '2.0.0') return kind4(topic, payload, meta);
  const json = payload.isJson ? userBroadcastJson(payload, meta) : null;
  return json === null ? null : encodeTextBroadcast(version, topic, json);
}

/** The text form of a user's broadcast, or null when its payload is no JSON. */
export function userBroadcastJson(payload: BinaryPayload, meta: string): string | null {
  // Parsed before it is spliced: a client must not write into an envelope of others.
  const value = parseJson(Buffer.from(payload.bytes).toString('utf8'));
  if (value === undefined) return null;
  const metaField = meta === '' ? '' : `,"meta":${meta}`;
  const event = JSON.stringify(payload.event);
  return `{"type":"broadcast","event":${event},"payload":${JSON.stringify(value)}${metaField}}`;
}

/** Whether a kind 4 frame can name this topic (with prefix) and event. */
export function fitsBinaryFrame(topic: string, event: string): boolean {
  return Buffer.byteLength(topic) <= MAX_FIELD_BYTES && Buffer.byteLength(event) <= MAX_FIELD_BYTES;
}

function kind4(topic: string, payload: BinaryPayload, meta: string): Buffer | null {
  const topicBytes = Buffer.byteLength(topic);
  const eventBytes = Buffer.byteLength(payload.event);
  const metaBytes = Buffer.byteLength(meta);
  if (Math.max(topicBytes, eventBytes, metaBytes) > MAX_FIELD_BYTES) return null;
  const strings = topicBytes + eventBytes + metaBytes;
  const length = USER_BROADCAST_HEADER_BYTES + strings + payload.bytes.length;
  const { frame, offset } = binaryFrame(length);
  frame[offset] = USER_BROADCAST;
  frame[offset + 1] = topicBytes;
  frame[offset + 2] = eventBytes;
  frame[offset + 3] = metaBytes;
  frame[offset + 4] = payload.isJson ? JSON_ENCODING : BINARY_ENCODING;
  let at = offset + USER_BROADCAST_HEADER_BYTES;
  at += frame.write(topic, at, 'utf8');
  at += frame.write(payload.event, at, 'utf8');
  at += frame.write(meta, at, 'utf8');
  frame.set(payload.bytes, at);
  return frame;
}
