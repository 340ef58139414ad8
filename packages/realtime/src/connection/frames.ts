/** A message of the Phoenix protocol 2.0.0, as its client wants it. */
type Frame = {
  join_ref: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
};

type TextFrame = [string | null, string | null, string, string, unknown];

/** Supabase's own kind of binary frame: a broadcast to those who have joined. */
const USER_BROADCAST = 4;
const IS_JSON = 1;

/**
 * Reads what Supabase Realtime sends: text frames are Phoenix's, broadcasts may come in binary
 * frames that Phoenix's client doesn't know. Frames that nobody knows are passed over.
 */
export function decodeFrame(raw: ArrayBuffer | string, then: (frame: Frame) => void): void {
  if (typeof raw !== 'string') return decodeBroadcast(raw, then);
  const [join_ref, ref, topic, event, payload] = JSON.parse(raw) as TextFrame;
  then({ join_ref, ref, topic, event, payload });
}

/**
 * `kind, topic size, event size, metadata size, encoding`, a byte each, then these three texts and the
 * payload. Ours are JSON; metadata (a replayed message's id) is nothing we use.
 */
function decodeBroadcast(raw: ArrayBuffer, then: (frame: Frame) => void): void {
  const bytes = new Uint8Array(raw);
  const [kind, topicSize = 0, eventSize = 0, metadataSize = 0, encoding] = bytes;
  if (kind !== USER_BROADCAST || encoding !== IS_JSON) return;
  let end = 5;
  const next = (size: number) => new TextDecoder().decode(bytes.subarray(end, (end += size)));
  const topic = next(topicSize);
  const event = next(eventSize);
  next(metadataSize);
  const payload: unknown = JSON.parse(next(bytes.length - end));
  const told = { type: 'broadcast', event, payload };
  then({ join_ref: null, ref: null, topic, event: 'broadcast', payload: told });
}
