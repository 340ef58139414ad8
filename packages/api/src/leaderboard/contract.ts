import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';
import { limitSchema } from '../pagination/contract.ts';

/** Which leaderboard: all time, the week from Monday (UTC), or a course's, named by its id. */
export const scopeSchema = z.union([z.enum(['global', 'week']), z.guid()]);

/** Which leaderboard: `global`, `week`, or the id of a course. */
export type LeaderboardScope = z.infer<typeof scopeSchema>;

/** Names a leaderboard. */
export const scopeInput = z.object({ scope: scopeSchema.default('global') });

/** A place on a leaderboard. Equal points have equal ranks; then as many ranks are left out. */
export const entrySchema = z.object({
  userId: z.guid(),
  name: z.string(),
  avatarUrl: z.string().nullable(),
  rank: z.int().min(1),
  points: z.number(),
  coursesCompleted: z.int().min(0),
  certificatesEarned: z.int().min(0),
  /** Places climbed since the week began (negative: fallen); null where there is no telling. */
  movement: z.int().nullable(),
});

/** A place on a leaderboard. */
export type LeaderboardEntry = z.infer<typeof entrySchema>;

/** The first hundred of a leaderboard. */
export const topSchema = z.object({
  entries: z.array(entrySchema),
  /** How many there are on it. */
  students: z.int().min(0),
});

/** The first hundred of a leaderboard. */
export type LeaderboardTop = z.infer<typeof topSchema>;

/** The first hundred, live on `leaderboard:<scope>`: at most one event a second. */
export const topOutput = liveOutput(topSchema);

/** Where the caller stands. */
export const standingSchema = z.object({
  /** Null: no points there yet. For who hides: the rank they would have. */
  rank: z.int().min(1).nullable(),
  points: z.number(),
  movement: z.int().nullable(),
  isHidden: z.boolean(),
  students: z.int().min(0),
  /** The five before, oneself, and the five after. */
  neighbours: z.array(entrySchema),
});

/** Where the caller stands. */
export type LeaderboardStanding = z.infer<typeof standingSchema>;

/** Where the caller stands, live on `user:<uid>` for ten minutes after the call. */
export const followOutput = liveOutput(standingSchema);

/** Whether to leave all leaderboards. */
export const setHiddenInput = z.object({ isHidden: z.boolean() });

/** Whether the caller is on no leaderboard. */
export const setHiddenOutput = z.object({ isHidden: z.boolean() });

/** Why one has the points that one has. */
export const pointEntrySchema = z.object({
  id: z.int(),
  reason: z.enum(['course', 'certificate', 'time', 'quiz', 'achievement', 'certificate_revoked']),
  points: z.number(),
  courseId: z.guid().nullable(),
  courseTitle: z.string().nullable(),
  /** The lesson's or the achievement's title, where it is about one. */
  title: z.string().nullable(),
  createdAt: z.iso.datetime(),
});

/** Why one has the points that one has. */
export type PointEntry = z.infer<typeof pointEntrySchema>;

/** Asks for the caller's points, newest first. */
export const pointsInput = z.object({ cursor: z.int().min(1).optional(), limit: limitSchema });

/** The caller's points, newest first. */
export const pointsOutput = z.object({
  items: z.array(pointEntrySchema),
  nextCursor: z.int().nullable(),
});

/** How many leaders the guide's REST route is asked for. */
export const leadersInput = z.object({ limit: limitSchema });

/** A row of the guide's view. */
export const leaderSchema = z.object({
  user_id: z.guid(),
  first_name: z.string(),
  last_name: z.string(),
  avatar: z.string().nullable(),
  courses_completed: z.int(),
  certificates_earned: z.int(),
  total_time_spent: z.int(),
  average_score: z.number(),
  total_points: z.number(),
  rank: z.int(),
});

/** Rows of the guide's view. */
export const leadersOutput = z.object({ leaders: z.array(leaderSchema) });

/** What `leaderboard:<scope>` tells, by the event's name. */
export const leaderboardEventSchemas = {
  /** `entries` are those that are new or another; all of them when `isWhole`. */
  'leaderboard.changed': topSchema.extend({
    removed: z.array(z.guid()),
    isWhole: z.boolean(),
  }),
} as const;

/** What `leaderboard:<scope>` tells, by the event's name. */
export type LeaderboardEvents = {
  [Name in keyof typeof leaderboardEventSchemas]: z.infer<(typeof leaderboardEventSchemas)[Name]>;
};

/** What `user:<uid>` tells those who follow their own rank, by the event's name. */
export const rankEventSchemas = {
  'leaderboard.rank': z.object({ scope: scopeSchema, standing: standingSchema }),
} as const;

/** What `user:<uid>` tells those who follow their own rank, by the event's name. */
export type RankEvents = {
  [Name in keyof typeof rankEventSchemas]: z.infer<(typeof rankEventSchemas)[Name]>;
};
