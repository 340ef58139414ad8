import type { MonitoringOverview } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type Snapshot } from '@homeroom/realtime';

/** The server tells of changes for a minute after it was asked; we ask again at half of it. */
const WATCH_AGAIN_MS = 30_000;

/** The running system, live: loaded anew when a portal has written what it counted. */
export function system(connection: Connection, api: Api, initial: Snapshot<MonitoringOverview>) {
  const live = reloaded({
    connection,
    topic: `user:${connection.userId}`,
    load: () => api.monitoring.watch.mutate(),
    concerns: ({ event }) => event === 'monitoring.changed',
    initial,
  });
  return {
    subscribe: live.subscribe,
    /** Goes on watching, while somebody looks; gives what ends it. Call it in an effect. */
    watch(): () => void {
      const again = () => {
        if (document.visibilityState === 'visible') void live.refresh();
      };
      again();
      const timer = setInterval(again, WATCH_AGAIN_MS);
      document.addEventListener('visibilitychange', again);
      return () => {
        clearInterval(timer);
        document.removeEventListener('visibilitychange', again);
      };
    },
  };
}
