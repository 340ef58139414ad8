/** Too many messages: who hears them loses the channel, as upstream. */
import type { Services } from '../services.ts';
import { shutDown } from './lifecycle.ts';
import type { Topic } from './topic.ts';

/** Counts what was delivered on a topic. While the server's rate is reached, its listeners end. */
export function countDeliveries(services: Services, topic: Topic, deliveries: number): void {
  services.meter.broadcastsOut += deliveries;
  const nowMs = services.now();
  services.events.count(nowMs, deliveries);
  if (!services.events.isReached(nowMs)) return;
  for (const channel of [...topic.broadcasts.listeners()]) {
    shutDown(services, channel, 'Too many messages per second');
  }
}
