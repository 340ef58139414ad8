import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';

const countSchema = z.int().min(0);

/** What one tab may count between two of its reports: more is no honest report. */
const tallySchema = countSchema.max(100_000);

/**
 * What a tab reports, each time since the last: how its live connection did, for how long it was
 * looked at, what broke. Nothing of it names the person.
 */
export const reportInput = z.object({
  /** Tells tabs apart, as long as they are open. */
  tabId: z.guid(),
  isLive: z.boolean(),
  isClosing: z.boolean(),
  opened: tallySchema,
  failed: tallySchema,
  lost: tallySchema,
  recovered: tallySchema,
  messages: tallySchema,
  /** From commit to screen, of some of the messages. */
  screenMs: z.array(z.number().min(0).max(600_000)).max(100),
  /** How long the page was looked at with live updates, and without; and what was done there. */
  liveSeconds: z.number().min(0).max(3600),
  stillSeconds: z.number().min(0).max(3600),
  liveActions: tallySchema,
  stillActions: tallySchema,
  errors: z
    .array(
      z.object({
        /** Which part of the page. */
        place: z.string().max(100),
        message: z.string().max(500),
        path: z.string().max(300),
      }),
    )
    .max(5),
});

/** What a tab reports. */
export type BrowserReport = z.infer<typeof reportInput>;

/** What happened in one minute, in both portals together. */
export const monitoredMinuteSchema = z.object({
  minute: z.iso.datetime(),
  calls: countSchema,
  failedCalls: countSchema,
  tabs: countSchema,
  liveTabs: countSchema,
  opened: countSchema,
  failed: countSchema,
  lost: countSchema,
  recovered: countSchema,
  messages: countSchema,
  browserErrors: countSchema,
});

/** What happened in one minute, in both portals together. */
export type MonitoredMinute = z.infer<typeof monitoredMinuteSchema>;

const latencySchema = z.object({
  samples: countSchema,
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});

/** How long something took, over the time looked at; null where there was nothing. */
export type LatencySummary = z.infer<typeof latencySchema>;

/** How a job went last. */
export const jobStateSchema = z.object({
  name: z.string(),
  schedule: z.string(),
  /** For a job that runs every few seconds, within the last half minute. */
  lastFinishedAt: z.iso.datetime().nullable(),
  lastOk: z.boolean().nullable(),
  lastRows: countSchema.nullable(),
  lastMs: countSchema.nullable(),
  lastError: z.string().nullable(),
  lastFailedAt: z.iso.datetime().nullable(),
  failures: countSchema,
});

/** How a job went last. */
export type JobState = z.infer<typeof jobStateSchema>;

/** What an administrator sees of the running system: the last hour, minute by minute. */
const overviewSchema = z.object({
  at: z.iso.datetime(),
  /** The oldest first; minutes without anything are left out. */
  minutes: z.array(monitoredMinuteSchema).max(61),
  /** Commit to screen, as browsers report it. */
  screen: latencySchema,
  /** Procedures, as the portals measure them. */
  calls: latencySchema,
  /** How long pages were looked at with live updates and without, and how much was done there. */
  engagement: z.object({
    liveSeconds: countSchema,
    stillSeconds: countSchema,
    liveActions: countSchema,
    stillActions: countSchema,
  }),
  jobs: z.array(jobStateSchema),
  queues: z.array(z.object({ queue: z.string(), depth: countSchema })),
  /** Errors of browsers, those that came last first. */
  errors: z
    .array(
      z.object({
        fingerprint: z.string(),
        source: z.string(),
        place: z.string(),
        message: z.string(),
        path: z.string(),
        occurrences: countSchema,
        lastSeenAt: z.iso.datetime(),
      }),
    )
    .max(20),
});

/** What an administrator sees of the running system. */
export type MonitoringOverview = z.infer<typeof overviewSchema>;

/** The same, as live data. */
export const overviewOutput = liveOutput(overviewSchema);
