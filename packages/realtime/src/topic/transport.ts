import type { LiveEvent } from '../connection/api.ts';
import type { LiveError } from '../connection/errors.ts';
import type { SocketState } from '../connection/status.ts';
import type { Move } from './channel.ts';

/** Why a channel ended, or never began. */
export type ChannelEnd =
  | { kind: 'passing'; reason: string } // worth another attempt
  | { kind: 'refused'; reason: string; error: LiveError }; // no attempt will go better

/**
 * Hears what happens on one channel: `joined` at most once, then events, `ended` at most once.
 * After `moved` no event comes any more.
 */
export type ChannelListener = {
  joined(): void;
  event(event: LiveEvent): void;
  /** Something without a number. */
  said(word: string, payload: unknown): void;
  moved(move: Move): void;
  ended(end: ChannelEnd): void;
};

/**
 * All that the topics know of the network. The real one is a thin layer over `RealtimeClient`; the
 * one of the property test loses, repeats, delays and reorders.
 */
export type Transport = {
  state(): SocketState;
  /** Hears of each change of the socket's state. */
  onState(listener: (state: SocketState) => void): void;
  open(): void;
  /** How many attempts to open it have failed, where that is known. */
  openFailures?(): number;
  /** Ends everything for good. */
  close(): void;
  /** After a wake: makes sure that the socket lives, or opens it again at once. */
  revive(): void;
  /**
   * Joins a channel on the open socket, with a fresh token. Never goes on by itself after `ended`.
   * The answer leaves: nothing is heard after it was called.
   */
  join(channel: string, listener: ChannelListener): () => void;
};
