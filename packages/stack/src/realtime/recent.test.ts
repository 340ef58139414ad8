import { expect, it } from 'vitest';
import { Recent } from './recent.ts';

it('knows the last ones, and not those of long ago', () => {
  const recent = new Recent<number>(10);
  for (let n = 0; n < 95; n += 1) recent.set(String(n), n);
  expect(recent.get('74')).toBeUndefined();
  for (let n = 85; n < 95; n += 1) expect(recent.get(String(n))).toBe(n);
});

it('keeps what is asked for', () => {
  const recent = new Recent<string>(3);
  recent.set('key', 'kept');
  for (let n = 0; n < 20; n += 1) {
    recent.set(String(n), 'other');
    expect(recent.get('key')).toBe('kept');
  }
});
