/** What a client broadcasts. */
import { askerOf } from '../channel/rights.ts';
import type { Channel } from '../channel/channel.ts';
import { isRecord, type ClientMessage } from '../codec/client-message.ts';
import { encodeTextBroadcast, encodeUserBroadcast } from '../codec/server-message.ts';
import { SharedFrame } from '../codec/shared-frame.ts';
import type { Services } from '../services.ts';

/** Handles `broadcast`. Without the right to speak nothing happens, and nothing is answered. */
export function pushBroadcast(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): void | Promise<void> {
  services.meter.eventsFromClients += 1;
  if (channel.rights.broadcast.write === null) return askAndPublish(services, channel, message);
  publishIfAllowed(services, channel, message);
}

async function askAndPublish(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): Promise<void> {
  const { broadcast } = channel.rights;
  broadcast.write = await services.policies.canWrite(askerOf(channel), 'broadcast');
  if (channel.state === 'joined') publishIfAllowed(services, channel, message);
}

function publishIfAllowed(services: Services, channel: Channel, message: ClientMessage): void {
  if (channel.rights.broadcast.write === true) publish(services, channel, message);
  else services.meter.drops.deniedBroadcast += 1;
}

function publish(services: Services, channel: Channel, message: ClientMessage): void {
  services.events.count(services.now());
  const { ack, self } = channel.config.broadcast;
  const frame = frameOf(channel.name, message, services.limits.payloadBytes);
  if (frame === 'too large') {
    services.meter.drops.largePayload += 1;
    if (ack) channel.reply(message.ref, 'error', 'payload_size_exceeded');
    return;
  }
  channel.topic?.broadcasts.send(frame, self ? null : channel);
  if (ack) channel.reply(message.ref, 'ok');
}

function frameOf(
  topic: string,
  { payload, binary }: ClientMessage,
  maxBytes: number,
): SharedFrame | 'too large' {
  if (binary !== null) {
    if (binary.bytes.length > maxBytes) return 'too large';
    // Copied: the frame is encoded when this turn ends, and the socket's buffer may be used again.
    const kept = { ...binary, bytes: Buffer.from(binary.bytes) };
    return new SharedFrame((version) => encodeUserBroadcast(version, topic, kept, ''));
  }
  const json = JSON.stringify(isRecord(payload) ? payload : {});
  if (Buffer.byteLength(json) > maxBytes) return 'too large';
  return new SharedFrame((version) => encodeTextBroadcast(version, topic, json));
}
