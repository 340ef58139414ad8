import type { RealtimeServer, RealtimeServerOptions } from './index.ts';

/** Not yet. */
export function openRealtimeServer(_options: RealtimeServerOptions): Promise<RealtimeServer> {
  return Promise.reject(new Error('not yet'));
}
