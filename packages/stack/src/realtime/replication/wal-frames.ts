/** The streaming replication protocol around the logical messages. Pure. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { POSTGRES_EPOCH_MS } from './pgoutput.ts';

/** The parts of `pg`'s connection that copy-both mode needs and its types leave out. */
export type WalConnection = EventEmitter<{
  replicationStart: [];
  copyData: [{ chunk: Buffer }];
}> & {
  stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
  end(): void;
};

/** `offset` is where a logical message begins in the chunk; `end` how far Postgres has read. */
export type WalFrame =
  { kind: 'data'; offset: number } | { kind: 'keepalive'; end: bigint; wantsReply: boolean };

const DATA = 'w'.charCodeAt(0);
const KEEPALIVE = 'k'.charCodeAt(0);
const DATA_HEADER_BYTES = 25;

/** Reads a frame's head; null for kinds that carry nothing for us. */
export function readWalFrame(chunk: Buffer): WalFrame | null {
  if (chunk[0] === DATA) return { kind: 'data', offset: DATA_HEADER_BYTES };
  if (chunk[0] === KEEPALIVE) {
    return { kind: 'keepalive', end: chunk.readBigUInt64BE(1), wantsReply: chunk[17] === 1 };
  }
  return null;
}

/** Tells Postgres that the log up to `position` may be thrown away, and asks for a sign of life. */
export function standbyStatus(position: bigint, nowMs: number): Buffer {
  const status = Buffer.alloc(34);
  status[0] = 'r'.charCodeAt(0);
  for (const field of [1, 9, 17]) status.writeBigUInt64BE(position, field);
  status.writeBigInt64BE(BigInt(nowMs - POSTGRES_EPOCH_MS) * 1000n, 25);
  status[33] = 1;
  return status;
}
