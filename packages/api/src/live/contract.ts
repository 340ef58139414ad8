import * as z from 'zod';

/** The kinds of topic, each followed by the id of what it is about. */
const TOPIC_PATTERN =
  /^(user|course|thread|workshop|leaderboard|certificate|school):[A-Za-z0-9_-]{1,64}(:staff)?$/;

/** A live topic's name, without Realtime's own `realtime:` before it. */
export const topicSchema = z
  .string()
  .regex(TOPIC_PATTERN, 'Not the name of a topic, such as user:<id> or course:<id>:staff');

/** The number of an event on its topic; 0 is before the first one. */
export const seqSchema = z.int().min(0);

/** How often a topic has moved to another channel, because somebody lost the right to it. */
const epochSchema = z.int().min(0);

/** Up to which event of which topic the data beside it is told. */
export const liveCursorSchema = z.object({ topic: topicSchema, seq: seqSchema });

/** Up to which event of which topic the data beside it is told. */
export type LiveCursor = z.infer<typeof liveCursorSchema>;

/** What a live query gives: data and cursor, read in one snapshot of the database. */
export type Live<Data> = { data: Data; cursor: LiveCursor };

/** The schema of a {@link Live} answer. */
export function liveOutput<Data extends z.ZodType>(data: Data) {
  return z.object({ data, cursor: liveCursorSchema });
}

/** One numbered event. `at` is the database's clock, in milliseconds since 1970. */
export const liveEventSchema = z.object({
  seq: z.int().min(1),
  event: z.string(),
  at: z.number(),
  data: z.unknown(),
});

/** One numbered event. `at` is the database's clock, in milliseconds since 1970. */
export type LiveEvent = z.infer<typeof liveEventSchema>;

/** Asks for the events after `seq`, oldest first, at most `limit` of them. */
export const sinceInput = z.object({
  topic: topicSchema,
  seq: seqSchema,
  limit: z.int().min(1).max(500).default(500),
});

/**
 * The events after the number asked for; or `too-old`, when retention has removed some of them and
 * only a new snapshot helps. `head` is the newest number of the topic: more are to be had while the
 * last event's `seq` is below it. `epoch` says on which channel the topic is.
 */
export const sinceOutput = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('events'),
    events: z.array(liveEventSchema),
    head: seqSchema,
    epoch: epochSchema,
  }),
  z.object({ status: z.literal('too-old'), head: seqSchema, epoch: epochSchema }),
]);

/** Names a topic: asks on which channel it is, before joining it. */
export const topicInput = z.object({ topic: topicSchema });

/** The channel is `<topic>` in epoch 0, `<topic>:e<epoch>` after it. */
export const epochOutput = z.object({ epoch: epochSchema });

/** What `live.since` gives. */
export type Since = z.infer<typeof sinceOutput>;
