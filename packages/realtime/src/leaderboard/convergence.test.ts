import type { LeaderboardEntry, LeaderboardStanding, LeaderboardTop } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { leaderboard } from './store.ts';

const TOP = 4;
const NOBODY = { avatarUrl: null, coursesCompleted: 0, certificatesEarned: 0, movement: null };

/** A class in which points go up and down; what changed is told in turns, as the database does. */
function competing(topics: ModelTopics, userId: string) {
  const points = new Map(
    [userId, 'bob', 'cy', 'dee', 'eve', 'fay', 'gus'].map((id, at) => [id, at % 3]),
  );
  let told: LeaderboardTop & { isTold: boolean } = { entries: [], students: 0, isTold: false };
  let isHidden = false;
  let rankTold: string | null | undefined;

  function all(): LeaderboardEntry[] {
    return [...points]
      .map(([id, own]) => ({
        ...NOBODY,
        userId: id,
        name: id,
        points: own,
        rank: 1 + [...points.values()].filter((other) => other > own).length,
      }))
      .sort((a, b) => a.rank - b.rank || (a.userId > b.userId ? -1 : 1));
  }
  const standing = (): LeaderboardStanding => {
    const entries = all();
    const own = entries.find((entry) => entry.userId === userId);
    const at = entries.indexOf(own as LeaderboardEntry);
    return {
      rank: own?.rank ?? null,
      points: own?.points ?? 0,
      movement: null,
      isHidden,
      students: points.size,
      neighbours: entries.slice(Math.max(0, at - 1), at + 2),
    };
  };

  function tell(): void {
    const entries = all().slice(0, TOP);
    const isKnown = (entry: LeaderboardEntry) =>
      told.entries.some((had) => JSON.stringify(had) === JSON.stringify(entry));
    const changed = told.isTold ? entries.filter((entry) => !isKnown(entry)) : entries;
    const removed = told.entries
      .filter((had) => !entries.some((entry) => entry.userId === had.userId))
      .map((had) => had.userId);
    const students = points.size;
    topics.publish('leaderboard:global', 'leaderboard.changed', {
      entries: changed,
      removed: told.isTold ? removed : [],
      students,
      isWhole: !told.isTold,
    });
    told = { entries, students, isTold: true };
    const now = JSON.stringify(standing());
    if (rankTold === undefined || rankTold === now) return;
    rankTold = now;
    topics.publish(`user:${userId}`, 'leaderboard.rank', {
      scope: 'global',
      standing: standing(),
    });
  }

  return {
    top: all,
    standing,
    api: {
      leaderboard: {
        top: topics.snapshot('leaderboard:global', () =>
          told.isTold
            ? { entries: told.entries, students: told.students }
            : { entries: all().slice(0, TOP), students: points.size },
        ),
        follow: topics.snapshot(`user:${userId}`, () => {
          rankTold = null;
          return standing();
        }),
        setHidden: topics.call((input: { isHidden: boolean }) => {
          isHidden = input.isHidden;
          return input;
        }),
      },
    },
    change(n: number) {
      const ids = [...points.keys()];
      const id = ids[n % ids.length] ?? '';
      if (n % 3 === 0) return tell();
      if (n % 11 === 0 && id !== userId) points.delete(id);
      else points.set(id, (points.get(id) ?? 0) + (n % 5) - 1);
    },
    changeAll() {
      points.set('zoe', (points.get('zoe') ?? 0) + 1);
      tell();
      topics.publish(`user:${userId}`, 'noise', {});
    },
  } satisfies Model & { top(): LeaderboardEntry[]; standing(): LeaderboardStanding };
}

it('ends with the ranks that the server has', async () => {
  await expectConvergence(competing, (connection, model) => {
    const store = leaderboard(connection, 'global');
    return [
      {
        store,
        act: (n: number) => void store.setHidden(n % 2 === 0),
        compare() {
          const shown = shownBy(store);
          expect(shown).toMatchObject({ status: 'live', loading: false });
          expect(shown.entries).toEqual(model.top().slice(0, TOP));
          expect(shown.standing).toEqual(model.standing());
        },
      },
    ];
  });
}, 120_000);
