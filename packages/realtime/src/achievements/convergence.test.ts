import type { DeclaredAchievement } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { achievements } from './store.ts';

/** Somebody who earns one thing after the other; now and then a new one is declared. */
function earning(topics: ModelTopics, userId: string) {
  const topic = `user:${userId}`;
  const items: DeclaredAchievement[] = [];
  const declare = () =>
    items.push({
      key: `key_${items.length}`,
      title: `Number ${items.length}`,
      description: '',
      icon: 'award',
      points: items.length,
      earnedAt: null,
    });
  for (let count = 0; count < 4; count += 1) declare();
  const change = (n: number) => {
    if (n % 5 === 0) declare();
    const achievement = items[n % items.length];
    if (!achievement) return;
    achievement.earnedAt = `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;
    topics.publish(topic, 'achievement.earned', { achievement });
  };
  const list = topics.snapshot(topic, () => ({ items }));
  return {
    items,
    api: { achievements: { list: { query: () => list.query(undefined) } } },
    change,
    // The one declared last: lists that don't know it have to be loaded again.
    changeAll: () => change(items.length - 1),
  } satisfies Model & { items: DeclaredAchievement[] };
}

it('ends with what was earned', async () => {
  await expectConvergence(earning, (connection, model) => {
    const store = achievements(connection);
    const compare = () => {
      expect(shownBy(store)).toMatchObject({ status: 'live', loading: false });
      const earned = (list: readonly DeclaredAchievement[]) =>
        list.filter(({ earnedAt }) => earnedAt !== null);
      expect(earned(shownBy(store).list)).toEqual(earned(model.items));
    };
    return [{ store, compare }];
  });
}, 120_000);
