import type { TRPCRouterRecord } from '@trpc/server';
import { publicProcedure, userProcedure } from '../server/procedures.ts';
import {
  readCalendar,
  readCalendarEvent,
  readCalendarToken,
  removeCalendarToken,
  renewCalendarToken,
} from './calendar-queries.ts';
import {
  calendarEventSchema,
  calendarInput,
  calendarOutput,
  calendarTokenOutput,
  workshopInput,
} from './contract.ts';

/** Someone's workshops for the calendar of their choice, at an address with a secret in it. */
export const calendarRouter = {
  /** The secret in the address of the caller's calendar. */
  address: userProcedure
    .output(calendarTokenOutput)
    .query(({ ctx }) => ctx.transaction(readCalendarToken)),

  /** Makes an address for the caller's calendar; one that was made before ends. */
  renew: userProcedure
    .output(calendarTokenOutput)
    .mutation(({ ctx }) => ctx.transaction(renewCalendarToken)),

  /** Ends the address of the caller's calendar. */
  remove: userProcedure
    .output(calendarTokenOutput)
    .mutation(({ ctx }) => ctx.transaction(removeCalendarToken)),

  /** What a calendar holds, for whoever has its address. */
  feed: publicProcedure
    .input(calendarInput)
    .output(calendarOutput)
    .query(({ ctx, input }) => ctx.asUser(null, 'read', (tx) => readCalendar(tx, input.token))),

  /** One workshop, for the caller's calendar. */
  event: userProcedure
    .input(workshopInput)
    .output(calendarEventSchema)
    .query(({ ctx, input }) => ctx.transaction((tx) => readCalendarEvent(tx, input.workshopId))),
} satisfies TRPCRouterRecord;
