/**
 * WebSocket frames (RFC 6455) from server to client: unmasked, unfragmented. They are built here
 * and not by `ws`, so that one buffer, made once, can be written to thousands of sockets.
 */

const TEXT = 0x81;
const BINARY = 0x82;

/** A whole text frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerBytes(length);
  const frame = Buffer.allocUnsafeSlow(header + length);
  writeHeader(frame, TEXT, length);
  frame.write(text, header, 'utf8');
  return frame;
}

/** A binary frame of `length` bytes whose payload the caller fills in from `offset`. */
export function binaryFrame(length: number): { frame: Buffer; offset: number } {
  const header = headerBytes(length);
  const frame = Buffer.allocUnsafeSlow(header + length);
  writeHeader(frame, BINARY, length);
  return { frame, offset: header };
}

function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

function writeHeader(frame: Buffer, opcode: number, length: number): void {
  frame[0] = opcode;
  if (length < 126) {
    frame[1] = length;
  } else if (length < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt16BE(0, 2);
    frame.writeUIntBE(length, 4, 6);
  }
}
