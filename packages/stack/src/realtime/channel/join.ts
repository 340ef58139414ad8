/** Joining: the checks in upstream's order, then the topic. The first that fails is the answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationFailure } from '../authorization/policies.ts';
import { type Replayed, ReplayRefused } from '../broadcast/replay.ts';
import { SubscriptionRefused } from '../postgres-changes/postgres-changes.ts';
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
  const { config } = channel;
  await check(services, channel);
  if (channel.state === 'closed') return;
  channel.topic = services.topics.enter(channel, channel.name, config.isPrivate);
  // Listens before it asks for the past, so that nothing falls between the two.
  channel.hold();
  listen(channel);
  const replayed = await services.replay.prepare(channel);
  const waits = config.changesWaitMs !== null && config.postgresChanges.length > 0;
  if (waits) await establishInTime(services, channel, config.changesWaitMs ?? 0);
  if (channel.state !== 'joining') return;
  channel.state = 'joined';
  services.meter.joins += 1;
  welcome(services, channel, ref, replayed);
  if (waits) services.changes.announce(channel);
  else if (config.postgresChanges.length > 0) services.changes.subscribe(channel);
}

/** Whether it may join: limits, token, database, rights. */
async function check(services: Services, channel: Channel): Promise<void> {
  const { limits } = services;
  if (channel.name === TOPIC_PREFIX) {
    throw new JoinRefused('TopicNameRequired: You must provide a topic name');
  }
  if (limits.privateOnly && !channel.config.isPrivate) {
    throw new JoinRefused('PrivateOnly: This project only allows private channels');
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
  // A crowd that comes back at once costs no timers where there is nothing to wait for.
  if (!services.isStreaming()) {
    await inTime(streaming(services), limits.replicationWaitMs, INITIALIZING);
  }
  if (channel.config.isPrivate) channel.rights = await readRights(services, channel);
}

/** The answer, and what follows it: who is present, the past, and what came meanwhile. */
function welcome(
  services: Services,
  channel: Channel,
  ref: string | null,
  replayed: Replayed,
): void {
  const { config } = channel;
  const bindings = services.changes.describe(config.postgresChanges);
  channel.reply(ref, 'ok', { postgres_changes: bindings });
  if (channel.presenceIsEnabled && channel.rights.presence.read === true) {
    sendPresenceState(services, channel);
    if (channel.state !== 'joined') return;
  }
  for (const frame of replayed.frames) channel.connection.write(frame);
  channel.release(replayed.ids);
  if (config.broadcast.replicationReady) {
    channel.system('system', 'ok', 'Replication connection established');
  }
}

async function establishInTime(
  services: Services,
  channel: Channel,
  waitMs: number,
): Promise<void> {
  const late = `PostgresChangesSubscribeTimeout: Timed out after ${waitMs}ms waiting for the postgres_changes subscription`;
  await inTime(services.changes.establish(channel), waitMs, late);
}

const INITIALIZING =
  'InitializingProjectConnection: Realtime is initializing the project connection';

/** The log is read no more once the server is closing. */
async function streaming(services: Services): Promise<void> {
  await services.streaming().catch(() => {
    throw new JoinRefused('RealtimeRestarting: Realtime is restarting, please standby');
  });
}

/** Waits for what must have happened first. Throws {@link JoinRefused} when it takes too long. */
async function inTime(done: Promise<void>, waitMs: number, reason: string): Promise<void> {
  const timeout = new AbortController();
  const late = sleep(waitMs, null, { ref: false, signal: timeout.signal }).then(() => {
    throw new JoinRefused(reason);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    late.catch(() => undefined);
    timeout.abort();
  }
}

function refusalOf(error: unknown): JoinRefused | null {
  if (error instanceof JoinRefused) return error;
  if (error instanceof SubscriptionRefused) {
    return new JoinRefused(`RealtimeDisabledForConfiguration: ${error.message}`);
  }
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
