import type { LiveEvent } from '../connection/api.ts';
import { LIVE_ERRORS } from '../connection/errors.ts';
import type { SocketState } from '../connection/status.ts';
import type { Move } from '../topic/channel.ts';
import type { ChannelEnd, ChannelListener, Transport } from '../topic/transport.ts';

import { settled } from './fake-clock.ts';

type Channel = { name: string; listener: ChannelListener; isJoined: boolean };
/** A broadcast on its way to one channel. */
type Frame = { channel: Channel; isMove: boolean; reach(listener: ChannelListener): void };
/** A call to the API: first the server does it, later the answer arrives. */
type Call = {
  perform(): unknown;
  answer?: { value: unknown };
  settle: PromiseWithResolvers<unknown>;
};

/**
 * A network under the test's thumb: it answers joins and calls when told, and loses, repeats,
 * delays and reorders what is on its way. The transport of the real stores.
 */
export class ModelNetwork implements Transport {
  #state: SocketState = 'idle';
  #listener: (state: SocketState) => void = () => undefined;
  #channels: Channel[] = [];
  #frames: Frame[] = [];
  #calls: Call[] = [];
  /** Whether joins, broadcasts and calls go through at once, without being told. */
  #isHealthy = false;
  #hasRealtime = true;
  /** Whether a channel may be joined; the server says. */
  allows: (channel: string) => boolean = () => true;
  /** How many words of a move were dropped. */
  movesLost = 0;
  /** How many calls were sent. */
  callsSent = 0;

  /** The channels that are joined. */
  get joined(): string[] {
    return this.#channels.filter(({ isJoined }) => isJoined).map(({ name }) => name);
  }

  state(): SocketState {
    return this.#state;
  }

  onState(listener: (state: SocketState) => void): void {
    this.#listener = listener;
  }

  open(): void {
    if (this.#state !== 'idle') return;
    this.#become('opening');
    if (this.#isHealthy) this.openSocket();
  }

  close(): void {
    this.#become('closed');
  }

  revive(): void {
    if (this.#isHealthy) this.openSocket();
  }

  join(name: string, listener: ChannelListener): () => void {
    const channel: Channel = { name, listener, isJoined: false };
    this.#channels.push(channel);
    if (this.#isHealthy) queueMicrotask(() => this.#accept(channel));
    return () => {
      this.#channels = this.#channels.filter((other) => other !== channel);
    };
  }

  /** A call to the API: `perform` is what the server does, when it gets to it. */
  call<T>(perform: () => T): Promise<T> {
    this.callsSent += 1;
    const settle = Promise.withResolvers<unknown>();
    const call: Call = { perform, settle };
    this.#calls.push(call);
    if (this.#isHealthy) queueMicrotask(() => this.#arrive(call));
    return settle.promise as Promise<T>;
  }

  /** The database sends a broadcast to whoever has joined by now. */
  broadcast(name: string, event: LiveEvent): void {
    this.#send(name, false, (listener) => listener.event(event));
  }

  /** The database tells those who have joined a channel that its topic has left it. */
  tellMove(name: string, move: Move): void {
    this.#send(name, true, (listener) => listener.moved(move));
  }

  openSocket(): void {
    if (this.#hasRealtime && this.#state === 'opening') this.#become('open');
  }

  /** The socket breaks. Frames already in the client's hands may still arrive afterwards. */
  cutSocket(): void {
    if (this.#state === 'open') this.#become('opening');
  }

  /** The server answers a join that waits. */
  acceptJoin(nth: number): void {
    const waiting = this.#channels.filter(({ isJoined }) => !isJoined);
    const channel = waiting[nth % waiting.length];
    if (channel) this.#accept(channel);
  }

  /** The server refuses a join, or ends a channel. */
  endChannel(nth: number, end: ChannelEnd = { kind: 'passing', reason: 'the test says so' }): void {
    const channel = this.#channels[nth % this.#channels.length];
    if (!channel) return;
    this.#channels = this.#channels.filter((other) => other !== channel);
    channel.listener.ended(end);
  }

  /** Lets the first `count` broadcasts arrive. */
  deliver(count: number): void {
    for (const { channel, reach } of this.#frames.splice(0, count)) {
      if (this.#channels.includes(channel)) reach(channel.listener);
    }
  }

  dropFrame(nth: number): void {
    const [frame] = this.#frames.splice(nth % (this.#frames.length || 1), 1);
    if (frame?.isMove) this.movesLost += 1;
  }

  repeatFrame(nth: number): void {
    const frame = this.#frames[nth % (this.#frames.length || 1)];
    if (frame) this.#frames.push(frame);
  }

  /** Takes a broadcast out of its turn, to the end. */
  delayFrame(nth: number): void {
    this.#frames.push(...this.#frames.splice(nth % (this.#frames.length || 1), 1));
  }

  /** The server does what a call asks for; its answer is on its way. */
  performCall(nth: number): void {
    const waiting = this.#calls.filter((call) => !call.answer);
    const call = waiting[nth % (waiting.length || 1)];
    if (call) this.#perform(call);
  }

  /** An answer arrives (the call is done first, if it wasn't). */
  answerCall(nth: number): void {
    const call = this.#calls[nth % (this.#calls.length || 1)];
    if (call) this.#arrive(call);
  }

  /** All that waits for an answer gets it: joins and calls. */
  answerAll(): void {
    for (const channel of [...this.#channels]) this.#accept(channel);
    for (const call of [...this.#calls]) this.#arrive(call);
  }

  /** A call fails: before the server did it, or after, when the answer is lost. */
  failCall(nth: number): void {
    const [call] = this.#calls.splice(nth % (this.#calls.length || 1), 1);
    call?.settle.reject(new TypeError('fetch failed'));
  }

  /** From now on all is well, also for what was already on its way. */
  heal(): void {
    this.#isHealthy = true;
    this.openSocket();
    this.answerAll();
    this.deliver(Infinity);
  }

  /** From now on, nothing goes through by itself; what is under way stays so. */
  fallIll(): void {
    this.#isHealthy = false;
  }

  /** Calls go through and joins don't: the server's Realtime is down, its API isn't. */
  async killRealtime(): Promise<void> {
    this.#hasRealtime = false;
    this.cutSocket();
    await settled();
  }

  /** Undoes {@link killRealtime}. */
  startRealtime(): void {
    this.#hasRealtime = true;
    this.openSocket();
  }

  #become(state: SocketState): void {
    if (this.#state === state || this.#state === 'closed') return;
    if (state !== 'open') this.#channels = [];
    this.#state = state;
    this.#listener(state);
  }

  #send(name: string, isMove: boolean, reach: Frame['reach']): void {
    for (const channel of this.#channels) {
      if (channel.name === name && channel.isJoined) this.#frames.push({ channel, isMove, reach });
    }
    if (this.#isHealthy) this.deliver(Infinity);
  }

  #accept(channel: Channel): void {
    if (channel.isJoined || !this.#channels.includes(channel)) return;
    if (!this.allows(channel.name)) {
      this.#channels = this.#channels.filter((other) => other !== channel);
      const error = LIVE_ERRORS.topicForbidden;
      return channel.listener.ended({ kind: 'refused', reason: 'Unauthorized', error });
    }
    channel.isJoined = true;
    channel.listener.joined();
  }

  #perform(call: Call): void {
    try {
      call.answer = { value: call.perform() };
    } catch (error) {
      this.#calls = this.#calls.filter((other) => other !== call);
      call.settle.reject(error);
    }
  }

  #arrive(call: Call): void {
    if (!call.answer) this.#perform(call);
    if (!call.answer || !this.#calls.includes(call)) return;
    this.#calls = this.#calls.filter((other) => other !== call);
    call.settle.resolve(call.answer.value);
  }
}
