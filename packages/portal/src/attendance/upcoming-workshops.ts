import type { WorkshopList } from '@homeroom/api/contract';
import {
  liveQuery,
  reloaded,
  type Connection,
  type LiveEvent,
  type LiveQueryState,
  type Snapshot,
} from '@homeroom/realtime';
import type { Readable } from 'svelte/store';
import type { Api } from '../shell/api-context.ts';

/** Where the list begins: what the server rendered, with as many as it asked for. */
type Start = { changes: Snapshot<object>; upcoming: Snapshot<WorkshopList>; limit?: number };

/**
 * The workshops to come that concern one, live: asked for anew when one's own place changes, and
 * when any workshop is planned, changed, begins, ends or is called off.
 */
export function upcomingWorkshops(
  connection: Connection,
  api: Api,
  { changes, upcoming, limit }: Start,
): Readable<LiveQueryState<WorkshopList>> {
  const list = reloaded({
    connection,
    topic: upcoming.cursor.topic,
    load: () => api.workshops.list.query({ when: 'upcoming', limit }),
    concerns: isAboutOwnPlace,
    initial: upcoming,
  });
  const planned = liveQuery({
    connection,
    topic: changes.cursor.topic,
    load: async () => {
      const { cursor } = await api.workshops.changes.query();
      return { data: cursor.seq, cursor };
    },
    apply: (_, { seq }) => seq,
    initial: { data: changes.cursor.seq, cursor: changes.cursor },
  });
  return {
    subscribe(run, invalidate) {
      let known = changes.cursor.seq;
      const stops = [
        list.subscribe(run, invalidate),
        planned.subscribe(({ data = known }) => {
          if (data === known) return;
          known = data;
          void list.refresh();
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** One's place in a workshop, or what one is notified of: somebody has registered, say. */
function isAboutOwnPlace({ event, data }: LiveEvent): boolean {
  if (event === 'registration.changed') return true;
  if (event !== 'notification.created') return false;
  const { notification } = data as { notification: { type: string } };
  return notification.type.startsWith('workshop');
}
