/** What a channel may hear, asked of the policies and put into effect. */
import type { AuthorizationRequest, Extension } from '../authorization/policies.ts';
import type { Services } from '../services.ts';
import type { Channel, Rights } from './channel.ts';
import { shutDown } from './lifecycle.ts';

/** The policies let these claims hear nothing of the topic. */
export class ReadDenied extends Error {
  constructor(subTopic: string) {
    super(`You do not have permissions to read from this Channel topic: ${subTopic}`);
  }
}

/** Lets the channel hear what its rights allow, from now on. */
export function listen(channel: Channel): void {
  const { topic, rights } = channel;
  if (topic === null) return;
  if (rights.broadcast.read) topic.broadcasts.add(channel);
  else topic.broadcasts.remove(channel);
  if (rights.presence.read === true) topic.presences.add(channel);
  else topic.presences.remove(channel);
}

/** Counts one presence event of the channel. When there are too many it ends, and this is false. */
export function mayTellPresence(services: Services, channel: Channel): boolean {
  if (services.presenceEvents.isReached(services.now())) {
    shutDown(services, channel, 'Too many presence messages per second');
    return false;
  }
  services.presenceEvents.count(services.now());
  return true;
}

/** Who is present now. What is still to be told as a difference is told to the others first. */
export function sendPresenceState(services: Services, channel: Channel): void {
  if (!mayTellPresence(services, channel)) return;
  channel.topic?.flush();
  channel.push('presence_state', JSON.stringify(channel.topic?.presence.state() ?? {}));
}

/** Asks the policies what the channel may hear. Throws when that is nothing. */
export async function readRights(services: Services, channel: Channel): Promise<Rights> {
  const extensions: Extension[] = channel.presenceIsEnabled
    ? ['broadcast', 'presence']
    : ['broadcast'];
  const readable = await services.policies.readable(askerOf(channel), extensions);
  if (readable.size === 0) {
    throw new ReadDenied(channel.subTopic);
  }
  return {
    broadcast: { read: readable.has('broadcast'), write: null, persist: null },
    presence: { read: channel.presenceIsEnabled ? readable.has('presence') : null, write: null },
  };
}

/** The channel as policies see it. */
export function askerOf(channel: Channel): AuthorizationRequest {
  return { topic: channel.subTopic, claims: channel.claims, headers: channel.connection.headers };
}
