import type {
  LeaderboardEntry,
  LeaderboardEvents,
  LeaderboardScope,
  LeaderboardStanding,
  LeaderboardTop,
  RankEvents,
} from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isTopEvent = isOneOf<LeaderboardEvents>({ 'leaderboard.changed': true });
const isRankEvent = isOneOf<RankEvents>({ 'leaderboard.rank': true });

/** By rank; between equal ranks the ids decide, as the database has it. */
function byPlace(a: LeaderboardEntry, b: LeaderboardEntry): number {
  return a.rank - b.rank || (a.userId > b.userId ? -1 : 1);
}

/** The first of a leaderboard after an event of its topic. */
export function applyTop(top: LeaderboardTop, event: LiveEvent): LeaderboardTop {
  if (!isTopEvent(event)) return top;
  const { entries, removed, students, isWhole } = event.data;
  const gone = new Set([...removed, ...entries.map(({ userId }) => userId)]);
  const kept = isWhole ? [] : top.entries.filter(({ userId }) => !gone.has(userId));
  return { entries: [...kept, ...entries].sort(byPlace), students };
}

/** The user's own standing after an event of their topic; other leaderboards' change nothing. */
export function applyStanding(
  standing: LeaderboardStanding,
  event: LiveEvent,
  scope: LeaderboardScope,
): LeaderboardStanding {
  return isRankEvent(event) && event.data.scope === scope ? event.data.standing : standing;
}
