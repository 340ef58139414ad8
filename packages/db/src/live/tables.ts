import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  jsonb,
  pgPolicy,
  pgSchema,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { currentUser, moment } from '../columns.ts';

/** What REST doesn't show: its schemas are `public` only. */
export const privateSchema = pgSchema('private');

/**
 * The head of each topic: the number of its newest event, and which of its channels its events are
 * sent on. Locked while a number is given.
 */
export const liveTopics = privateSchema.table(
  'live_topics',
  {
    topic: text().primaryKey(),
    seq: bigint({ mode: 'number' }).notNull(),
    /** How often somebody has lost the right to it; see epochs.sql. */
    epoch: bigint({ mode: 'number' }).notNull().default(0),
  },
  () => [
    check('live_topics_count_up', sql`seq >= 0`),
    pgPolicy('readers of a topic see its head', {
      for: 'select',
      to: authenticatedRole,
      using: sql`private.can_read_topic(topic, ${currentUser})`,
    }),
  ],
);

/** What was told on each topic, for seven days. Read through `live_since` only. */
export const liveEvents = privateSchema
  .table(
    'live_events',
    {
      topic: text().notNull(),
      seq: bigint({ mode: 'number' }).notNull(),
      event: text().notNull(),
      payload: jsonb().notNull(),
      createdAt: moment().notNull(),
    },
    (table) => [
      primaryKey({ name: 'live_events_one_per_number', columns: [table.topic, table.seq] }),
      index('live_events_by_age').using('brin', table.createdAt),
    ],
  )
  .enableRLS();
