import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, pgPolicy, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, id, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';
import { SERVICE_SCOPES } from './scopes.ts';

/** For policies: evaluated once per statement. */
const isAdmin = sql`(select private.is_admin())`;

/**
 * A key with which an internal service calls the API. The key itself is nowhere: it is shown once
 * when it is made, and known by its hash. A key is never deleted, since the log names it.
 */
export const serviceKeys = privateSchema.table(
  'service_keys',
  {
    id: id(),
    name: text().notNull(),
    /** How the key begins, to tell it from others. */
    prefix: text().notNull(),
    /** SHA-256 of the key, as hex. It holds 256 random bits, so no slow hash is needed. */
    keyHash: text().notNull(),
    scopes: text({ enum: SERVICE_SCOPES }).array().notNull(),
    callsPerMinute: integer().notNull(),
    createdBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    expiresAt: moment(),
    revokedAt: moment(),
    /** To the minute. */
    lastUsedAt: moment(),
  },
  (table) => [
    unique('service_keys_once_per_hash').on(table.keyHash),
    check('service_keys_have_a_name', sql`char_length(name) between 1 and 100`),
    check('service_keys_have_a_prefix', sql`prefix ~ '^hr_[A-Za-z0-9_-]{6}$'`),
    check('service_keys_are_hashed', sql`key_hash ~ '^[0-9a-f]{64}$'`),
    check(
      'service_keys_have_known_scopes',
      sql.raw(`cardinality(scopes) > 0 and scopes <@ '{${SERVICE_SCOPES.join(',')}}'::text[]`),
    ),
    check('service_keys_have_a_rate', sql`calls_per_minute between 1 and 60000`),
    check('service_keys_end_after_they_begin', sql`expires_at > created_at`),
    index('service_keys_newest_first').on(table.createdAt, table.id),
    pgPolicy('administrators see service keys', {
      for: 'select',
      to: authenticatedRole,
      using: isAdmin,
    }),
  ],
);

/** What was done with service keys, and by them. Only grows; what is older than a year may go. */
export const serviceKeyLog = privateSchema.table(
  'service_key_log',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    keyId: uuid()
      .notNull()
      .references(() => serviceKeys.id),
    /** `created`, `revoked`, or the procedure that was called. */
    action: text().notNull(),
    /** `ok`, or the code of the error. */
    outcome: text().notNull().default('ok'),
    /** Who did it with the key; null when the key itself did. Outlives the person. */
    actorId: uuid(),
    /** Whom it concerned. Outlives the person. */
    subjectId: uuid(),
    requestId: text(),
    createdAt: createdAt(),
  },
  (table) => [
    check(
      'service_key_log_is_short',
      sql`char_length(action) <= 100 and char_length(outcome) <= 60`,
    ),
    index('service_key_log_of_key_newest_first').on(table.keyId, table.id),
    index('service_key_log_by_age').using('brin', table.createdAt),
    pgPolicy('administrators see the log of service keys', {
      for: 'select',
      to: authenticatedRole,
      using: isAdmin,
    }),
  ],
);
