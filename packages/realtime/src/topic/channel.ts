/**
 * Where a topic's events are. Each time somebody loses the right to a topic, its events go to
 * another channel, of the next *epoch*, which only readers can join; who was removed stays behind on
 * the old one, whatever their client does. `topic.moved` is the last that is heard there.
 */
export type Move = {
  epoch: number;
  /** Time over which those who stay should spread their joins, ms. */
  withinMs: number;
};

/** The event, without a number, that tells a {@link Move}. */
export const TOPIC_MOVED = 'topic.moved';
/** The event on a user's own topic which says that they have lost a right to another. */
export const ACCESS_REVOKED = 'access.revoked';

/** The Realtime channel of a topic in an epoch. */
export function channelOf(topic: string, epoch: number): string {
  return epoch === 0 ? topic : `${topic}:e${epoch}`;
}

/**
 * The epoch that a topic may be taken to have before anybody was asked. A user's own topic moves
 * only when the user is shut out; with other topics a guess would often cost a refused join, for
 * which servers take five seconds.
 */
export function likelyEpoch(topic: string): number | undefined {
  return topic.startsWith('user:') ? 0 : undefined;
}

/** Reads a {@link Move} from what a broadcast carries. */
export function toMove(payload: unknown): Move | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { epoch, withinMs } = payload as Record<string, unknown>;
  if (typeof epoch !== 'number' || typeof withinMs !== 'number') return undefined;
  return { epoch, withinMs };
}
