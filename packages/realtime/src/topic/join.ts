import { LIVE_ERRORS, toLiveError } from '../connection/errors.ts';
import { channelOf } from './channel.ts';
import type { ChannelEnd, ChannelListener, Transport } from './transport.ts';

/** What a join needs. */
type JoinOptions = {
  topic: string;
  /** Of the topic's channel; `undefined` when nobody knows. */
  epoch: number | undefined;
  transport: Transport;
  askEpoch(): Promise<number>;
};

/** Hears what happens on the channel, and which epoch it is of when the API had to be asked. */
type JoinListener = ChannelListener & { found(epoch: number): void };

/**
 * Joins the channel of a topic, whichever that is. Where the server refuses, the topic may have moved
 * on since its epoch was learnt: then the API says which channel is the right one, or that there
 * is none for this person. The answer leaves: nothing is heard after it was called.
 */
export function joinTopic(options: JoinOptions, listener: JoinListener): () => void {
  const { topic, transport } = options;
  let left = false;
  let leaveChannel: (() => void) | undefined;

  const ask = (then: (epoch: number) => void) => {
    options.askEpoch().then(
      (epoch) => {
        if (left) return;
        listener.found(epoch);
        then(epoch);
      },
      (error: unknown) => {
        if (!left) listener.ended(endByApi(error));
      },
    );
  };
  const enter = (epoch: number) => {
    leaveChannel = transport.join(channelOf(topic, epoch), {
      ...listener,
      ended(end) {
        if (!isForbidden(end)) return listener.ended(end);
        ask((current) =>
          listener.ended(current === epoch ? end : { kind: 'passing', reason: end.reason }),
        );
      },
    });
  };

  if (options.epoch === undefined) ask(enter);
  else enter(options.epoch);
  return () => {
    left = true;
    leaveChannel?.();
  };
}

function isForbidden(end: ChannelEnd): boolean {
  return end.kind === 'refused' && end.error.code === LIVE_ERRORS.topicForbidden.code;
}

/** A channel that can't be found ends as the API's answer says. */
function endByApi(cause: unknown): ChannelEnd {
  const error = toLiveError(cause);
  const { message: reason } = error;
  return error.retryable ? { kind: 'passing', reason } : { kind: 'refused', reason, error };
}
