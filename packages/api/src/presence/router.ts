import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import {
  contactsInput,
  contactsOutput,
  keepInput,
  placeInput,
  presenceOutput,
  presenceSettingsSchema,
  typingInput,
} from './contract.ts';
import {
  keepPresence,
  readContacts,
  readPresence,
  readSettings,
  tellTyping,
  writeSettings,
} from './queries.ts';

/** Who is where: in a course, a workshop or a thread. */
export const presenceRouter = {
  /** Who is at a place, live on its topic, for its readers. */
  list: userProcedure
    .input(placeInput)
    .output(presenceOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => readPresence(tx, input.place))),

  /** A tab of the caller's is there; to be repeated within 45 seconds. */
  keep: userProcedure
    .input(keepInput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => keepPresence(tx, ctx.session.userId, input)),
    ),

  /** Whether those whom the caller writes with have a portal open, live on `user:<uid>`. */
  contacts: userProcedure
    .input(contactsInput)
    .output(contactsOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => readContacts(tx, ctx.session.userId, input.userId)),
    ),

  /** The caller is writing; to be repeated every few seconds while they do. */
  typing: userProcedure
    .input(typingInput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => tellTyping(tx, input))),

  settings: {
    /** Whether the caller wants not to be seen. */
    get: userProcedure
      .output(presenceSettingsSchema)
      .query(({ ctx }) => ctx.transaction((tx) => readSettings(tx))),

    /** Sets it; it counts with the next sign of life, within half a minute. */
    set: userProcedure
      .input(presenceSettingsSchema)
      .output(presenceSettingsSchema)
      .mutation(({ ctx, input }) =>
        ctx.transaction((tx) => writeSettings(tx, ctx.session.userId, input)),
      ),
  },
} satisfies TRPCRouterRecord;
