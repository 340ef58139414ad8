import { expect, it } from 'vitest';
import { RecentIds } from './recent-ids.ts';

it('knows the last ones, and not those of long ago', () => {
  const recent = new RecentIds(10);
  for (let id = 0; id < 95; id += 1) recent.add(String(id));
  for (let id = 85; id < 95; id += 1) expect(recent.has(String(id))).toBe(true);
  for (let id = 0; id < 75; id += 1) expect(recent.has(String(id))).toBe(false);
});
