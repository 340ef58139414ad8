import { expect, it } from 'vitest';
import { Congestion } from './congestion.ts';

function reader(): { drained: () => Promise<void>; drain: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { drained: () => promise, drain: resolve };
}

it('waits for all who are behind, and goes on once', async () => {
  const heard: boolean[] = [];
  const congestion = new Congestion((is) => heard.push(is));
  const [slow, slower] = [reader(), reader()];
  congestion.note(slow);
  congestion.note(slower);
  congestion.note(slow);
  slow.drain();
  await Promise.resolve();
  expect(heard).toEqual([true]);
  slower.drain();
  await congestion.relief();
  expect(heard).toEqual([true, false]);
});

it('gives up on who stands still, until it moves again', async () => {
  const heard: boolean[] = [];
  const congestion = new Congestion((is) => heard.push(is), 5);
  const stalled = reader();
  congestion.note(stalled);
  await congestion.relief();
  congestion.note(stalled);
  expect(heard).toEqual([true, false]);
  stalled.drain();
  await stalled.drained();
  await Promise.resolve();
  congestion.note(stalled);
  expect(heard).toEqual([true, false, true]);
  await congestion.relief();
});
