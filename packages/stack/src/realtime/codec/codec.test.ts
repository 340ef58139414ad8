import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBinary, decodeText } from './client-message.ts';
import { encodeMessage, encodeUserBroadcast } from './server-message.ts';

/** Payload of a server's frame, past its WebSocket header. */
function bodyOf(frame: Buffer): Buffer {
  const length = frame[1] ?? 0;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  const stated =
    header === 2 ? length : header === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  expect(frame.length - header).toBe(stated);
  return frame.subarray(header);
}

/** A kind 3 frame, as the client makes it. */
function userBroadcastPush(strings: string[], encoding: number, payload: Uint8Array): Buffer {
  const fields = strings.map((text) => Buffer.from(text));
  const sizes = fields.map((field) => field.length);
  return Buffer.concat([Buffer.from([3, ...sizes, encoding]), ...fields, payload]);
}

const name = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => {
  const bytes = Buffer.byteLength(text);
  return bytes <= 255 && text.isWellFormed();
});
const filledName = name.filter((text) => text !== '');

describe('text frames', () => {
  it('reads in both versions what a client wrote', () => {
    fc.assert(
      fc.property(name, name, name, name, fc.jsonValue(), (joinRef, ref, topic, event, payload) => {
        const expected = { joinRef, ref, topic, event, binary: null };
        const v2 = decodeText('2.0.0', JSON.stringify([joinRef, ref, topic, event, payload]));
        const v1 = decodeText(
          '1.0.0',
          JSON.stringify({ join_ref: joinRef, ref, topic, event, payload }),
        );
        expect(v2).toMatchObject(expected);
        expect(v1).toMatchObject(expected);
        expect(JSON.stringify(v2?.payload)).toBe(JSON.stringify(payload));
      }),
    );
  });

  it('writes five fields to 2.0.0, and exactly four to 1.0.0', () => {
    fc.assert(
      fc.property(name, name, fc.jsonValue(), (topic, event, value) => {
        const message = { joinRef: '1', ref: null, topic, event, payload: JSON.stringify(value) };
        const json = JSON.stringify(value);
        const v2 = JSON.parse(bodyOf(encodeMessage('2.0.0', message)).toString()) as unknown[];
        expect(v2.slice(0, 4)).toEqual(['1', null, topic, event]);
        expect(JSON.stringify(v2[4])).toBe(JSON.stringify(JSON.parse(json)));
        const v1 = JSON.parse(bodyOf(encodeMessage('1.0.0', message)).toString()) as object;
        expect(Object.keys(v1)).toEqual(['topic', 'event', 'payload', 'ref']);
      }),
    );
  });

  it('takes anything else for no message, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const version of ['1.0.0', '2.0.0'] as const) {
          const message = decodeText(version, text);
          if (message !== null) expect(typeof message.topic).toBe('string');
        }
      }),
    );
    expect(decodeText('2.0.0', '["1","2","t","e"]')).toBeNull();
    expect(decodeText('2.0.0', '{"topic":"t","event":"e","payload":{},"ref":"1"}')).toBeNull();
    expect(decodeText('1.0.0', '{"topic":"t","event":"e","ref":"1"}')).toBeNull();
    expect(decodeText('1.0.0', '{"topic":"t","event":"e","payload":{},"ref":5}')).toBeNull();
  });
});

describe('binary frames', () => {
  it('carries any payload from kind 3 to kind 4 untouched', () => {
    fc.assert(
      fc.property(
        name,
        filledName,
        filledName,
        fc.uint8Array({ maxLength: 70_000 }),
        fc.boolean(),
        (ref, topic, event, payload, isJson) => {
          const push = userBroadcastPush(['1', ref, topic, event, ''], isJson ? 1 : 0, payload);
          const message = decodeBinary(push);
          expect(message).toMatchObject({ joinRef: '1', ref: ref === '' ? null : ref, topic });
          if (!message?.binary) throw new Error('not read');
          expect(message.binary.isJson).toBe(isJson);

          const meta = '{"id":"1"}';
          const frame = bodyOf(encodeUserBroadcast('2.0.0', topic, message.binary, meta)!);
          const [t, e, m] = [frame[1]!, frame[2]!, frame[3]!];
          expect([frame[0], frame[4]]).toEqual([4, isJson ? 1 : 0]);
          const strings = frame.toString('utf8', 5, 5 + t + e + m);
          expect(strings).toBe(topic + event + meta);
          expect(Buffer.compare(frame.subarray(5 + t + e + m), payload)).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('names topics of up to 255 bytes, and refuses longer ones', () => {
    const payload = { event: 'e', isJson: true, bytes: Buffer.from('{}') };
    expect(encodeUserBroadcast('2.0.0', 'é'.repeat(127) + 'x', payload, '')).not.toBeNull();
    expect(encodeUserBroadcast('2.0.0', 'é'.repeat(128), payload, '')).toBeNull();
  });

  it('lets no bytes through to 1.0.0, nor JSON that would break out of its envelope', () => {
    const bytes = { event: 'e', isJson: false, bytes: Buffer.from([1, 2]) };
    expect(encodeUserBroadcast('1.0.0', 't', bytes, '')).toBeNull();
    const forged = { event: 'e', isJson: true, bytes: Buffer.from('1},"ref":"9","x":{"y":1') };
    expect(encodeUserBroadcast('1.0.0', 't', forged, '')).toBeNull();
  });

  it('takes truncated and random bytes for no message, and never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeBinary(Buffer.from(bytes))));
    const whole = userBroadcastPush(['1', '2', 'topic', 'event', ''], 1, Buffer.alloc(0));
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeBinary(whole.subarray(0, length))).toBeNull();
    }
  });
});
