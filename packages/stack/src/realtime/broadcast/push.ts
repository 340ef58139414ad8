/** What a client broadcasts. */
import { AuthorizationFailure } from '../authorization/policies.ts';
import type { Channel } from '../channel/channel.ts';
import { askerOf } from '../channel/rights.ts';
import { isRecord, type ClientMessage } from '../codec/client-message.ts';
import type { BinaryPayload } from '../codec/encoding.ts';
import { encodeTextBroadcast, encodeUserBroadcast } from '../codec/server-message.ts';
import { SharedFrame } from '../codec/shared-frame.ts';
import type { Services } from '../services.ts';
import { InvalidTtl, readPersist } from './persist.ts';

/** Handles `broadcast`. Without the right to speak nothing happens, and nothing is answered. */
export function pushBroadcast(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): void | Promise<void> {
  services.meter.eventsFromClients += 1;
  // Only what came as a binary frame has metadata, and so can ask to be kept.
  if (message.metadata !== undefined && message.binary !== null && channel.config.isPrivate) {
    return keepAndPublish(services, channel, message, message.binary);
  }
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

function publish(
  services: Services,
  channel: Channel,
  message: ClientMessage,
  keptAs: string | null = null,
): void {
  services.events.count(services.now());
  const { ack, self } = channel.config.broadcast;
  const frame = frameOf(channel.name, message, services.limits.payloadBytes, keptAs);
  if (frame === 'too large') {
    services.meter.drops.largePayload += 1;
    if (ack) channel.reply(message.ref, 'error', 'payload_size_exceeded');
    return;
  }
  channel.topic?.broadcasts.send(frame, self ? null : channel);
  if (ack && channel.state === 'joined')
    channel.reply(message.ref, 'ok', keptAs === null ? {} : { id: keptAs });
}

function frameOf(
  topic: string,
  { payload, binary }: ClientMessage,
  maxBytes: number,
  keptAs: string | null,
): SharedFrame | 'too large' {
  if (binary !== null) {
    if (binary.bytes.length > maxBytes) return 'too large';
    // Copied: the frame is encoded when this turn ends, and the socket's buffer may be used again.
    const kept = { ...binary, bytes: Buffer.from(binary.bytes) };
    return new SharedFrame((version) => encodeUserBroadcast(version, topic, kept, ''), keptAs);
  }
  const json = JSON.stringify(isRecord(payload) ? payload : {});
  if (Buffer.byteLength(json) > maxBytes) return 'too large';
  return new SharedFrame((version) => encodeTextBroadcast(version, topic, json));
}

/**
 * A broadcast that says how it is to be treated: whether it is kept. It is kept before it is told,
 * so that who joins meanwhile and asks for the past gets it once. Unlike all others, it is answered
 * when it is refused.
 */
async function keepAndPublish(
  services: Services,
  channel: Channel,
  message: ClientMessage,
  binary: BinaryPayload,
): Promise<void> {
  // Copied: the socket's buffer may be used again while the database is asked.
  const kept = { ...binary, bytes: Buffer.from(binary.bytes) };
  try {
    const keeping = readPersist(isRecord(message.metadata) ? message.metadata.persist : null);
    const { broadcast } = channel.rights;
    broadcast.write ??= await services.policies.canWrite(askerOf(channel), 'broadcast');
    if (broadcast.write && keeping !== null) {
      broadcast.persist ??= await services.policies.canWrite(askerOf(channel), 'persistence');
    }
    if (channel.state !== 'joined') return;
    if (broadcast.write) {
      const mayKeep = keeping !== null && broadcast.persist === true;
      const id = mayKeep ? await services.kept.keep(channel.subTopic, kept, keeping) : null;
      publish(services, channel, { ...message, binary: kept }, id);
      return;
    }
    services.meter.drops.deniedBroadcast += 1;
    refuse(channel, message, keeping === null ? null : 'unauthorized');
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    refuse(channel, message, reason);
  }
}

function refuse(channel: Channel, message: ClientMessage, reason: string | null): void {
  if (reason === null || channel.state !== 'joined' || !channel.config.broadcast.ack) return;
  channel.reply(message.ref, 'error', { error: reason });
}

/** Upstream's word for it. */
function reasonOf(error: unknown): string | null {
  if (error instanceof InvalidTtl) return 'invalid_persist_ttl';
  if (!(error instanceof AuthorizationFailure)) return null;
  // `UnableToSetPolicies` is `unable_to_set_policies`.
  return error.code.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}
