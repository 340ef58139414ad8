/** Joining: the checks in upstream's order, then the topic. The first that fails is the answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationFailure } from '../authorization/policies.ts';
import { ReplayRefused } from '../broadcast/replay.ts';
import type { Services } from '../services.ts';
import { expiredMessage, TokenError } from '../token/errors.ts';
import type { Channel } from './channel.ts';
import { detach } from './lifecycle.ts';
import { listen, ReadDenied, readRights, sendPresenceState } from './rights.ts';
import { TOPIC_PREFIX } from './topic.ts';

/** A join that is refused; `message` is what the client gets as the reason. */
class JoinRefused extends Error {
  readonly disconnects: boolean;

  constructor(message: string, disconnects = false) {
    super(message);
    this.disconnects = disconnects;
  }
}

/** Answers a join, with ok or an error. */
export async function join(
  services: Services,
  channel: Channel,
  ref: string | null,
): Promise<void> {
  try {
    await admit(services, channel, ref);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    services.meter.joinsRefused += 1;
    // Whoever is refused hears nothing more, also while the answer is held back.
    if (channel.topic !== null) services.topics.exit(channel, channel.topic);
    channel.topic = null;
    const { joinErrorDelayMs } = services.limits;
    if (joinErrorDelayMs > 0) await sleep(joinErrorDelayMs, undefined, { ref: false });
    if (channel.state === 'closed') return;
    detach(services, channel);
    channel.reply(ref, 'error', { reason: refusal.message });
    if (refusal.disconnects) channel.connection.close(1001, 'too many joins');
  }
}

async function admit(services: Services, channel: Channel, ref: string | null): Promise<void> {
  const { limits, topics } = services;
  const { config } = channel;
  if (channel.name === TOPIC_PREFIX) {
    throw new JoinRefused('TopicNameRequired: You must provide a topic name');
  }
  if (services.joins.isReached(services.now())) {
    throw new JoinRefused('ClientJoinRateLimitReached: Too many joins per second', true);
  }
  services.joins.count(services.now());
  if (channel.connection.channels.size > limits.channelsPerConnection) {
    throw new JoinRefused('ChannelRateLimitReached: Too many channels');
  }
  if (channel.token !== null) channel.claims = await services.tokens.verify(channel.token);
  if (channel.claims.exp * 1000 <= services.now()) {
    throw new TokenError('InvalidJWTToken', expiredMessage(channel.claims.exp, services.now()));
  }
  await streamingInTime(services);
  if (config.isPrivate) channel.rights = await readRights(services, channel);
  if (channel.state === 'closed') return;
  const topic = topics.enter(channel, channel.name, config.isPrivate);
  channel.topic = topic;
  // Listens before it asks for the past, so that nothing falls between the two.
  channel.hold();
  listen(channel);
  const replayed = await services.replay.prepare(channel);
  if (channel.state !== 'joining') return;
  channel.state = 'joined';
  services.meter.joins += 1;
  const bindings = services.changes.describe(config.postgresChanges);
  channel.reply(ref, 'ok', { postgres_changes: bindings });
  if (channel.presenceIsEnabled && channel.rights.presence.read === true)
    sendPresenceState(services, channel);
  for (const frame of replayed.frames) channel.connection.write(frame);
  channel.release(replayed.ids);
  if (config.broadcast.replicationReady) {
    channel.system('system', 'ok', 'Replication connection established');
  }
  if (bindings.length > 0) services.changes.subscribe(channel);
}

async function streamingInTime(services: Services): Promise<void> {
  const { replicationWaitMs } = services.limits;
  const timeout = new AbortController();
  const late = sleep(replicationWaitMs, 'late' as const, { ref: false, signal: timeout.signal });
  late.catch(() => undefined);
  const first = await Promise.race([
    services.streaming().then(() => 'streaming' as const),
    late,
  ]).catch(() => 'late' as const);
  timeout.abort();
  if (first === 'late') {
    throw new JoinRefused(
      'InitializingProjectConnection: Realtime is initializing the project connection',
    );
  }
}

function refusalOf(error: unknown): JoinRefused | null {
  if (error instanceof JoinRefused) return error;
  if (error instanceof ReadDenied) return new JoinRefused(`Unauthorized: ${error.message}`);
  if (error instanceof TokenError) return new JoinRefused(`${error.code}: ${error.message}`);
  if (error instanceof ReplayRefused)
    return new JoinRefused(`UnableToReplayMessages: ${error.message}`);
  if (error instanceof AuthorizationFailure) {
    return error.code === 'UnableToSetPolicies'
      ? new JoinRefused('Realtime was unable to connect to the project database')
      : new JoinRefused(`${error.code}: ${error.message}`);
  }
  return null;
}
