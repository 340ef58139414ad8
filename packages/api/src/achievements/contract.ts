import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';

/** Something that was earned. */
export const achievementSchema = z.object({
  key: z.string(),
  title: z.string(),
  description: z.string(),
  /** The name of a lucide icon. */
  icon: z.string(),
  points: z.int().min(0),
  earnedAt: z.iso.datetime(),
});

/** Something that was earned. */
export type Achievement = z.infer<typeof achievementSchema>;

/** Something that can be earned; `earnedAt` is null until it is. */
export const declaredAchievementSchema = achievementSchema.extend({
  earnedAt: z.iso.datetime().nullable(),
});

/** Something that can be earned; `earnedAt` is null until it is. */
export type DeclaredAchievement = z.infer<typeof declaredAchievementSchema>;

/** Everything that can be earned, with what the caller has, live on `user:<uid>`. */
export const listOutput = liveOutput(z.object({ items: z.array(declaredAchievementSchema) }));

/** What `user:<uid>` tells about achievements, by the event's name. */
export const achievementEventSchemas = {
  'achievement.earned': z.object({ achievement: achievementSchema }),
} as const;

/** What `user:<uid>` tells about achievements, by the event's name. */
export type AchievementEvents = {
  [Name in keyof typeof achievementEventSchemas]: z.infer<(typeof achievementEventSchemas)[Name]>;
};
