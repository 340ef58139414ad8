import type { AchievementEvents, DeclaredAchievement } from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isAchievementEvent = isOneOf<AchievementEvents>({ 'achievement.earned': true });

/** Everything that can be earned, with what was. */
export type AchievementsWindow = {
  items: readonly DeclaredAchievement[];
  /** The last one earned while one was looking. */
  latest: DeclaredAchievement | undefined;
  /** Something was earned that hadn't been declared when the list was loaded. */
  isStale: boolean;
};

/** The list after an event. */
export function apply(window: AchievementsWindow, event: LiveEvent): AchievementsWindow {
  if (!isAchievementEvent(event)) return window;
  const { achievement } = event.data;
  return {
    items: window.items.map((item) => (item.key === achievement.key ? achievement : item)),
    latest: achievement,
    isStale: window.isStale || !window.items.some(({ key }) => key === achievement.key),
  };
}
