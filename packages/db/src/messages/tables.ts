import { sql } from 'drizzle-orm';
import { check, index, pgPolicy, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, currentUser, id, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** A direct message from one person to another. */
export const messages = pgTable(
  'messages',
  {
    id: id(),
    senderId: uuid().references(() => users.id, { onDelete: 'set null' }),
    recipientId: uuid().references(() => users.id, { onDelete: 'set null' }),
    content: text().notNull(),
    readAt: moment(),
    createdAt: createdAt(),
  },
  (table) => [
    check('messages_say_something', sql`char_length(content) between 1 and 20000`),
    check('messages_go_to_someone_else', sql`sender_id <> recipient_id`),
    index('messages_sent_newest_first').on(
      table.senderId,
      table.recipientId,
      table.createdAt.desc(),
      table.id.desc(),
    ),
    index('messages_received_newest_first').on(
      table.recipientId,
      table.senderId,
      table.createdAt.desc(),
      table.id.desc(),
    ),
    index('messages_unread')
      .on(table.recipientId, table.senderId)
      .where(sql`read_at is null`),
    pgPolicy('sender and recipient see a message', {
      for: 'select',
      to: authenticatedRole,
      using: sql`sender_id = ${currentUser} or recipient_id = ${currentUser}`,
    }),
  ],
);
