import { describe, expect, it } from 'vitest';
import { connectionStatus, type TopicFacts } from './status.ts';

const joined: TopicFacts = { status: 'joined', behind: false, lastCheck: 'ok' };
const status = (...topics: TopicFacts[]) =>
  connectionStatus({ socket: 'open', online: true, topics });

describe('the public status', () => {
  it('is live when every topic is joined and misses nothing', () => {
    expect(status(joined, joined)).toBe('live');
    expect(status()).toBe('live');
  });

  it('is catching up while a joined topic misses something', () => {
    expect(status(joined, { ...joined, behind: true })).toBe('catching-up');
  });

  it('is connecting until something else is known', () => {
    expect(status(joined, { ...joined, status: 'joining', lastCheck: 'none' })).toBe('connecting');
    expect(connectionStatus({ socket: 'opening', online: true, topics: [] })).toBe('connecting');
  });

  it('is polling when the API answers and the socket does not', () => {
    expect(status({ ...joined, status: 'blocked' })).toBe('polling');
  });

  it('is offline when neither does, or the browser says so', () => {
    expect(status({ ...joined, status: 'blocked', lastCheck: 'failed' })).toBe('offline');
    expect(connectionStatus({ socket: 'open', online: false, topics: [joined] })).toBe('offline');
  });

  it('does not count what the server has refused', () => {
    expect(status(joined, { ...joined, status: 'refused', behind: true })).toBe('live');
  });
});
