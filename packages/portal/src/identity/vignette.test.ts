import { expect, it } from 'vitest';
import { scenes, visibleHappenings } from './vignette.ts';

const { happenings } = scenes.student;

it('shows the newest first, and goes round', () => {
  const last = happenings.length - 1;
  expect(visibleHappenings(happenings, 0, 2).map(({ key }) => key)).toEqual([1, 0]);
  const [first] = visibleHappenings(happenings, last, 2);
  expect(first).toMatchObject({ who: happenings[0]?.who, key: last + 1 });
});
