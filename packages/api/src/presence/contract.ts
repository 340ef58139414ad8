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

/** A tab is there: in front, behind or idle, or about to close. To be repeated within 45 seconds. */
export const keepInput = placeInput.extend({ status: z.enum(['online', 'away', 'leaving']) });

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

/** What a place's topic tells about presence, by the event's name. */
export type PresenceEvents = {
  [Name in keyof typeof presenceEventSchemas]: z.infer<(typeof presenceEventSchemas)[Name]>;
};
