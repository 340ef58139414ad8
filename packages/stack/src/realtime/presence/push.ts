/** What a client says about its own presence. */
import type { Channel } from '../channel/channel.ts';
import { shutDown } from '../channel/lifecycle.ts';
import { askerOf, mayTellPresence, sendPresenceState } from '../channel/rights.ts';
import { isRecord, type ClientMessage } from '../codec/client-message.ts';
import type { Services } from '../services.ts';

const CALLS_WINDOW_MS = 30_000;

/** Handles `presence`: track and untrack. */
export function pushPresence(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): void | Promise<void> {
  services.meter.eventsFromClients += 1;
  if (!isRecord(message.payload) || typeof message.payload.event !== 'string') {
    channel.reply(message.ref, 'ok');
    return;
  }
  if (!countCall(services, channel)) {
    shutDown(services, channel, 'Client presence rate limit exceeded');
    return;
  }
  switch (message.payload.event.toLowerCase()) {
    case 'track':
      if (channel.rights.presence.write === null) return askAndTrack(services, channel, message);
      track(services, channel, message);
      return;
    case 'untrack':
      channel.topic?.presence.untrack(channel);
      channel.topic?.presenceChanged();
      channel.reply(message.ref, 'ok');
      return;
    default:
      channel.reply(message.ref, 'error');
  }
}

async function askAndTrack(
  services: Services,
  channel: Channel,
  message: ClientMessage,
): Promise<void> {
  const { presence } = channel.rights;
  const asker = askerOf(channel);
  // Presence was off at the join: whether it may be heard has not been asked yet.
  if (presence.read === null) {
    presence.read = (await services.policies.readable(asker, ['presence'])).has('presence');
  }
  presence.write = await services.policies.canWrite(asker, 'presence');
  if (channel.state !== 'joined') return;
  if (presence.read) channel.topic?.presences.add(channel);
  track(services, channel, message);
}

function track(services: Services, channel: Channel, { ref, payload }: ClientMessage): void {
  const state = isRecord(payload) ? (payload.payload ?? {}) : {};
  if (channel.rights.presence.write !== true || channel.topic === null) {
    channel.reply(ref, 'error');
    return;
  }
  if (!isRecord(state)) {
    channel.reply(ref, 'error', { reason: 'Presence track payload must be a map' });
    return;
  }
  if (Buffer.byteLength(JSON.stringify(state)) > services.limits.payloadBytes) {
    shutDown(services, channel, 'Track message size exceeded');
    return;
  }
  if (!mayTellPresence(services, channel)) return;
  channel.presenceKey ??= crypto.randomUUID();
  channel.topic.presence.track(channel, channel.presenceKey, state);
  channel.topic.presenceChanged();
  channel.reply(ref, 'ok');
  if (channel.presenceIsEnabled) return;
  // This client never got the state at its join, and would see differences only.
  channel.presenceIsEnabled = true;
  if (channel.rights.presence.read === true) sendPresenceState(services, channel);
}

function countCall({ limits, now }: Services, { presenceCalls }: Channel): boolean {
  const nowMs = now();
  if (nowMs > presenceCalls.resetAtMs) {
    presenceCalls.count = 0;
    presenceCalls.resetAtMs = nowMs + CALLS_WINDOW_MS;
  }
  presenceCalls.count += 1;
  return presenceCalls.count <= limits.presenceCallsPer30Seconds;
}
