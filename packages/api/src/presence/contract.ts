import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';

/** Where one can be: a course, a workshop or a thread, by the name of its topic. */
export const placeSchema = z
  .string()
  .regex(
    /^(course|workshop|thread):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'Not a place, such as course:<id>',
  );

/** Names a place. */
export const placeInput = z.object({ place: placeSchema });

const statusSchema = z.enum(['online', 'away']);

/** Someone who is there. */
export const presentSchema = z.object({ person: personSchema, status: statusSchema });

/** Someone who is there. */
export type Present = z.infer<typeof presentSchema>;

/** Who is there, live on the place's topic. `people` is null where there are more than a hundred. */
export const presenceOutput = liveOutput(
  z.object({ onlineCount: z.int().min(0), people: z.array(presentSchema).nullable() }),
);

/** Who is there. */
export type Presence = z.infer<typeof presenceOutput>['data'];

/**
 * A tab is there, or in any page of the portal: in front, behind or idle, or about to close. To be
 * repeated within 45 seconds.
 */
export const keepInput = z.object({
  place: placeSchema.or(z.literal('portal')),
  status: z.enum(['online', 'away', 'leaving']),
});

/** Whether someone whom the caller writes with has a portal open. */
export const contactSchema = z.object({
  userId: z.guid(),
  /** The invisible are `offline`. */
  status: z.enum(['online', 'away', 'offline']),
  lastSeenAt: z.iso.datetime().nullable(),
});

/** Whether someone whom the caller writes with has a portal open. */
export type Contact = z.infer<typeof contactSchema>;

/** Asks for one person, or for those of the caller's hundred newest conversations. */
export const contactsInput = z.object({ userId: z.guid().optional() });

/** Those of them who share a course with the caller, live on `user:<uid>`. */
export const contactsOutput = liveOutput(z.object({ items: z.array(contactSchema) }));

/** The caller is writing: in a thread, or to a person. Others see it for a few seconds. */
export const typingInput = z.union([
  z.object({ threadId: z.guid() }),
  z.object({ userId: z.guid() }),
]);

/** What `thread:<id>` and `user:<uid>` tell without a number: somebody is writing. */
export const typingSchema = z.object({ person: personSchema });

/** Whether the caller wants not to be seen anywhere. */
export const presenceSettingsSchema = z.object({ isInvisible: z.boolean() });

/** What a place's topic tells about presence, by the event's name. */
export const presenceEventSchemas = {
  'presence.changed': z.object({
    person: personSchema,
    status: z.enum(['online', 'away', 'offline']),
  }),
  'presence.counted': z.object({ onlineCount: z.int().min(0) }),
} as const;

/** What `user:<uid>` tells of those whom one writes with, by the event's name. */
export const contactEventSchemas = { 'contact.changed': contactSchema } as const;

/** What a place's topic tells about presence, by the event's name. */
export type PresenceEvents = {
  [Name in keyof typeof presenceEventSchemas]: z.infer<(typeof presenceEventSchemas)[Name]>;
};
