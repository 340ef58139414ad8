/** How channels end. */
import type { Services } from '../services.ts';
import type { Channel } from './channel.ts';

/** Ends a channel in order: the client is told. */
export function close(services: Services, channel: Channel): void {
  if (channel.state === 'closed') return;
  detach(services, channel);
  sayClosed(channel);
}

/** Ends a channel that may not go on, with the reason. The client does not rejoin by itself. */
export function shutDown(services: Services, channel: Channel, reason: string): void {
  if (channel.state === 'closed') return;
  channel.system('system', 'error', reason);
  close(services, channel);
}

/** Takes a channel off its topic without a word: its socket is gone, or another takes its place. */
export function detach(services: Services, channel: Channel): void {
  if (channel.state === 'closed') return;
  channel.state = 'closed';
  const { channels } = channel.connection;
  if (channels.get(channel.name) === channel) channels.delete(channel.name);
  services.changes.unsubscribe(channel);
  if (channel.topic !== null) services.topics.exit(channel, channel.topic);
}

/** Tells the client that this channel has ended. */
export function sayClosed(channel: Channel): void {
  channel.push('phx_close', '{}', channel.joinRef);
}

/** A fault of ours while handling a channel ends that channel alone; its client rejoins. */
export function crash(services: Services, channel: Channel, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  services.log({ level: 'error', part: 'channel', message: `${channel.subTopic}: ${reason}` });
  if (channel.state === 'closed') return;
  detach(services, channel);
  channel.push('phx_error', '{"reason":"channel_crash"}', channel.joinRef);
}
