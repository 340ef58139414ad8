import { expect, it } from 'vitest';
import { Congestion } from './congestion.ts';

type Fake = { backlog: number; drained: () => Promise<void>; drain: () => void };

function reader(backlog = 100): Fake {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { backlog, drained: () => promise, drain: resolve };
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

it('stays patient with who is slow but comes on', async () => {
  const heard: boolean[] = [];
  const congestion = new Congestion((is) => heard.push(is), 5);
  const slow = reader();
  let looks = 0;
  Object.defineProperty(slow, 'backlog', { get: () => 100 * 0.5 ** (looks += 1) });
  congestion.note(slow);
  setTimeout(slow.drain, 40);
  await congestion.relief();
  expect(looks).toBeGreaterThan(3);
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
