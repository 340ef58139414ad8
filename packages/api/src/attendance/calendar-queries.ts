import { sql, type SQL } from 'drizzle-orm';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { onlyRow } from '../server/fragments.ts';
import type { CalendarEvent } from './contract.ts';

/** What one call of a function of the database gives. */
async function called<Result>(tx: UserTransaction, call: SQL): Promise<Result> {
  const { result } = onlyRow(await tx.execute<{ result: Result }>(sql`select ${call} as "result"`));
  return result;
}

/** The secret in the address of the user's calendar; null while there is none. */
export async function readCalendarToken(tx: UserTransaction) {
  return { token: await called<string | null>(tx, sql`private.calendar_token()`) };
}

/** Gives the user's calendar a new address; the old one ends. */
export async function renewCalendarToken(tx: UserTransaction) {
  return { token: await called<string>(tx, sql`private.renew_calendar_token()`) };
}

/** Ends the address of the user's calendar. */
export async function removeCalendarToken(tx: UserTransaction) {
  await called(tx, sql`private.remove_calendar_token()`);
  return { token: null };
}

/** What the calendar holds that a secret opens. */
export async function readCalendar(tx: UserTransaction, token: string) {
  const calendar = await called<{ items: CalendarEvent[] } | null>(
    tx,
    sql`public.calendar_feed(${token})`,
  );
  if (calendar === null) throw new ApiError('CALENDAR_NOT_FOUND');
  return calendar;
}

/** One workshop for the user's calendar. */
export function readCalendarEvent(tx: UserTransaction, workshopId: string) {
  return called<CalendarEvent>(tx, sql`private.own_calendar_event(${workshopId}::uuid)`);
}
