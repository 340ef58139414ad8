/** What clients say, brought to the channel and the part that it is for. */
import type { ClientMessage } from '../codec/client-message.ts';
import type { Connection } from '../socket/connection.ts';
import { refreshToken } from './access-token.ts';
import { pushBroadcast } from '../broadcast/push.ts';
import { pushPresence } from '../presence/push.ts';
import type { Services } from '../services.ts';
import { Channel } from './channel.ts';
import { join } from './join.ts';
import { parseJoin } from './join-config.ts';
import { close, crash, detach, sayClosed } from './lifecycle.ts';
import { TOPIC_PREFIX } from './topic.ts';

/** Handles one message of a client. */
export function receive(services: Services, connection: Connection, message: ClientMessage): void {
  if (message.topic === 'phoenix' && message.event === 'heartbeat') {
    connection.reply({ ...message, joinRef: null }, 'ok');
    return;
  }
  if (message.event === 'phx_join' && message.topic.startsWith(TOPIC_PREFIX)) {
    open(services, connection, message);
    return;
  }
  const channel = connection.channels.get(message.topic);
  if (channel === undefined) {
    if (message.event === 'phx_leave') connection.reply(message, 'ok');
    else connection.reply({ ...message, joinRef: null }, 'error', { reason: 'unmatched topic' });
    return;
  }
  // Meant for an earlier join of the same topic.
  if (message.joinRef !== null && message.joinRef !== channel.joinRef) return;
  const isTaken = channel.mailbox.post(() => handle(services, channel, message));
  if (!isTaken) services.meter.drops.floodedChannel += 1;
}

function handle(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): void | Promise<void> {
  if (channel.state !== 'joined') return;
  switch (message.event) {
    case 'phx_leave':
      channel.reply(message.ref, 'ok');
      close(services, channel);
      return;
    case 'access_token':
      return refreshToken(services, channel, message.payload);
    case 'broadcast':
      return pushBroadcast(services, channel, message);
    case 'presence':
      return pushPresence(services, channel, message);
    default:
      services.events.count(services.now());
  }
}

function open(services: Services, connection: Connection, message: ClientMessage): void {
  const previous = connection.channels.get(message.topic);
  if (previous !== undefined) detach(services, previous);
  const channel = new Channel(
    connection,
    {
      name: message.topic,
      joinRef: message.joinRef,
      config: parseJoin(message.payload, message.topic.slice(TOPIC_PREFIX.length)),
    },
    (failed, error) => crash(services, failed, error),
  );
  connection.channels.set(message.topic, channel);
  channel.mailbox.post(async () => {
    await join(services, channel, message.ref);
    // The replaced channel's end comes after the answer to its successor, as upstream.
    if (previous !== undefined) sayClosed(previous);
  });
}
