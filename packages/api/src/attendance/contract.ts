import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { CHECK_IN_METHODS } from './kinds-contract.ts';

/** A moment with its zone, such as `2026-10-04T12:00:00Z`. */
const momentSchema = z.iso.datetime({ offset: true });

/** A workshop, the same to everybody who may see it. */
export const workshopSchema = z.object({
  id: z.guid(),
  courseId: z.guid(),
  title: z.string(),
  description: z.string(),
  location: z.string().nullable(),
  isOnline: z.boolean(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  /** Where it takes place, as IANA names it: Europe/Stockholm. */
  timeZone: z.string(),
  /** How many may register; null for as many as want. */
  capacity: z.int().min(1).nullable(),
  /** Also those who aren't in the course may register. */
  isOpen: z.boolean(),
  checkInOpensMinutes: z.int().min(0),
  lateAfterMinutes: z.int().min(0),
  status: z.enum(['scheduled', 'live', 'ended', 'cancelled']),
});

/** A workshop, the same to everybody who may see it. */
export type Workshop = z.infer<typeof workshopSchema>;

/** How many have a place (those who are there among them), are there, and wait. */
export const countsSchema = z.object({
  registered: z.int().min(0),
  checkedIn: z.int().min(0),
  waitlisted: z.int().min(0),
});

/** How many have a place (those who are there among them), are there, and wait. */
export type WorkshopCounts = z.infer<typeof countsSchema>;

/** Someone's place in a workshop, or on its waiting list. */
export const registrationSchema = z.object({
  workshopId: z.guid(),
  person: personSchema,
  status: z.enum(['registered', 'waitlisted', 'cancelled', 'checked_in']),
  registeredAt: z.iso.datetime(),
  checkedInAt: z.iso.datetime().nullable(),
  method: z.enum(CHECK_IN_METHODS).nullable(),
  isLate: z.boolean(),
});

/** Someone's place in a workshop, or on its waiting list. */
export type Registration = z.infer<typeof registrationSchema>;

/** Names a workshop. */
export const workshopInput = z.object({ workshopId: z.guid() });

/** Asks for workshops: of a course, else those of the caller's courses and all that are open. */
export const listInput = z.object({
  courseId: z.guid().optional(),
  when: z.enum(['upcoming', 'past']).default('upcoming'),
  limit: z.int().min(1).max(100).default(50),
});

/** A workshop as someone stands to it. */
const listedSchema = z.object({
  workshop: workshopSchema,
  counts: countsSchema,
  mine: registrationSchema.nullable(),
});

/** Workshops, the next (or the last) first; live on `course:<id>` or `user:<uid>`. */
export const listOutput = liveOutput(z.object({ items: z.array(listedSchema) }));

/** Workshops, the next (or the last) first. */
export type WorkshopList = z.infer<typeof listOutput>['data'];

/** One workshop, live on `workshop:<id>` for those who are registered and its staff. */
export const viewOutput = liveOutput(
  listedSchema.extend({
    /** For those who have a place and the staff. */
    meetingUrl: z.string().nullable(),
    isStaff: z.boolean(),
    /** How long the caller was seen in it, on all devices together. */
    secondsPresent: z.int().min(0),
  }),
);

/** How the caller stands to a workshop, live on `user:<uid>` (`registration.changed`). */
export const mineOutput = liveOutput(
  z.object({
    mine: registrationSchema.nullable(),
    meetingUrl: z.string().nullable(),
    secondsPresent: z.int().min(0),
  }),
);

/** How the caller stands to a workshop. */
export type OwnPlace = z.infer<typeof mineOutput>['data'];

/** One workshop, as someone stands to it. */
export type WorkshopView = z.infer<typeof viewOutput>['data'];

/** Where one is in the changes of workshops, live on `school:workshops`; they carry nothing. */
export const changesOutput = liveOutput(z.object({}));

const planFields = z.object({
  title: z.string().trim().min(1, 'Give it a title').max(200),
  description: z.string().max(10_000),
  location: z.string().trim().max(300).nullable(),
  meetingUrl: z.url({ protocol: /^https$/, error: 'Has to begin with https://' }).nullable(),
  startsAt: momentSchema,
  endsAt: momentSchema,
  timeZone: z.string().max(100),
  capacity: z.int().min(1).max(100_000).nullable(),
  isOpen: z.boolean(),
  checkInOpensMinutes: z.int().min(0).max(1440),
  lateAfterMinutes: z.int().min(0).max(1440),
});

/** Plans a workshop of a course that the caller teaches. */
export const planInput = planFields
  .partial({
    description: true,
    location: true,
    meetingUrl: true,
    timeZone: true,
    capacity: true,
    isOpen: true,
    checkInOpensMinutes: true,
    lateAfterMinutes: true,
  })
  .extend({ courseId: z.guid() })
  .refine(({ startsAt, endsAt }) => Date.parse(startsAt) < Date.parse(endsAt), {
    path: ['endsAt'],
    error: 'Lies before the beginning',
  });

/** Changes a workshop; what isn't given stays. */
export const changeInput = planFields.partial().extend({ workshopId: z.guid() });

/** What a form of a workshop gives, as the API takes it, without the course. */
export type WorkshopPlan = Omit<z.input<typeof planInput>, 'courseId'>;

/** The workshop as it is after the call. */
export const workshopOutput = z.object({ workshop: workshopSchema });

/** The registration as it is after the call. */
export const registrationOutput = z.object({ registration: registrationSchema });

/** Someone in the instructor's list. */
export const participantSchema = registrationSchema.extend({
  presence: z.enum(['online', 'away', 'offline']),
  secondsPresent: z.int().min(0),
});

/** Someone in the instructor's list. */
export type Participant = z.infer<typeof participantSchema>;

/** Everybody who is registered or waits, in the order of registering; live on `workshop:<id>:staff`. */
export const attendanceOutput = liveOutput(
  z.object({
    workshop: workshopSchema,
    counts: countsSchema,
    participants: z.array(participantSchema),
  }),
);

/** Everybody who is registered or waits, in the order of registering. */
export type AttendanceList = z.infer<typeof attendanceOutput>['data'];

/** The code to show, until when, and the server's time. */
export const codeOutput = z.object({
  code: z.string(),
  validUntil: z.iso.datetime(),
  now: z.iso.datetime(),
});

/** Checks someone in by hand. */
export const checkInInput = workshopInput.extend({ userId: z.guid() });

/** Takes a check-in back. */
export const undoInput = checkInInput.extend({
  reason: z.string().trim().min(1, 'Say why').max(500),
});

/** Checks the caller in with a code that they saw at a moment, now or while offline. */
export const checkInByCodeInput = workshopInput.extend({
  code: z.string().regex(/^\d{6}$/, 'Six digits'),
  seenAt: momentSchema,
});

/** A workshop as somebody's calendar shows it. */
export const calendarEventSchema = z.object({
  id: z.guid(),
  title: z.string(),
  description: z.string(),
  location: z.string().nullable(),
  /** For those who have a place and the staff. */
  meetingUrl: z.string().nullable(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  /** Grows with each change that a calendar shows. */
  sequence: z.int().min(0),
  /** Tentative for those who wait or haven't registered. */
  status: z.enum(['confirmed', 'tentative', 'cancelled']),
  updatedAt: z.iso.datetime(),
});

/** A workshop as somebody's calendar shows it. */
export type CalendarEvent = z.infer<typeof calendarEventSchema>;

/** The secret in the address of the caller's calendar; null while there is none. */
export const calendarTokenOutput = z.object({ token: z.string().nullable() });

/** Names a calendar by its secret. */
export const calendarInput = z.object({ token: z.string().max(200) });

/** What a calendar holds, in the order of time. */
export const calendarOutput = z.object({ items: z.array(calendarEventSchema) });

/** The log as a CSV file. */
export const exportOutput = z.object({ fileName: z.string(), csv: z.string() });

/** What `workshop:<id>` tells, by the event's name. */
export const workshopEventSchemas = {
  'workshop.counted': z.object({ counts: countsSchema }),
  'workshop.changed': z.object({ workshop: workshopSchema }),
} as const;

/** What `workshop:<id>` tells, by the event's name. */
export type WorkshopEvents = {
  [Name in keyof typeof workshopEventSchemas]: z.infer<(typeof workshopEventSchemas)[Name]>;
};

/** What `workshop:<id>:staff` tells; `registration.changed` on `user:<uid>` says the same. */
export const attendanceEventSchemas = {
  'participant.changed': z.object({ registration: registrationSchema, counts: countsSchema }),
  'presence.changed': z.object({
    userId: z.guid(),
    status: z.enum(['online', 'away', 'offline']),
  }),
} as const;

/** What `workshop:<id>:staff` tells, by the event's name. */
export type AttendanceEvents = {
  [Name in keyof typeof attendanceEventSchemas]: z.infer<(typeof attendanceEventSchemas)[Name]>;
};
