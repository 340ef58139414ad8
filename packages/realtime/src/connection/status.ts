import type { TopicStatus } from '../topic/machine.ts';

/** What the connection indicator says. */
export type ConnectionStatus =
  | 'connecting' // no socket or channel (yet, or again); what is shown may be some seconds old
  | 'live' // every topic is joined, and proven to have missed nothing
  | 'catching-up' // joined, but a first snapshot or missed events are still on their way
  | 'polling' // no socket, but the API answers: what is shown is a few seconds old
  | 'offline'; // neither the socket nor the API answers; what is shown is the last that was known

/** Where the socket is. */
export type SocketState =
  | 'idle' // nobody has asked for a connection
  | 'opening' // being opened for the first time, or again after a loss
  | 'open' // frames flow
  | 'closed'; // closed for good

/** What a topic tells about itself. */
export type TopicFacts = {
  status: TopicStatus;
  /** A follower of it has no snapshot, or knows of events that it doesn't have. */
  behind: boolean;
  /** How the last question to the API about it went. */
  lastCheck: 'none' | 'ok' | 'failed';
};

/** Everything that the public status depends on. */
export type ConnectionFacts = {
  socket: SocketState;
  /** What the browser says about the network. */
  online: boolean;
  topics: readonly TopicFacts[];
};

/** The one place where the public status is made. */
export function connectionStatus({ socket, online, topics }: ConnectionFacts): ConnectionStatus {
  if (!online || socket === 'closed') return 'offline';
  const followed = topics.filter(({ status }) => status !== 'refused' && status !== 'idle');
  if (followed.length === 0) return socket === 'open' ? 'live' : 'connecting';
  const unjoined = followed.filter(({ status }) => status !== 'joined' && status !== 'moving');
  if (unjoined.some(({ lastCheck }) => lastCheck === 'failed')) return 'offline';
  if (unjoined.some(({ lastCheck }) => lastCheck === 'none')) return 'connecting';
  if (unjoined.length > 0) return 'polling';
  return followed.some(({ behind }) => behind) ? 'catching-up' : 'live';
}
