import type { RealtimePresenceState } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

/** The guides' snippets for the browser's console, as they are but for where the output goes. */
it('“Test Real-Time Subscription”: a signed-in user sees their notification appear', async () => {
  await using db = await testDatabase();
  const [instructor, other] = [await db.a.instructor(), await db.a.instructor()];
  await using supabase = await supabaseClient(db, instructor);
  const shown: unknown[] = [];
  const subscribed: unknown[] = [];

  supabase
    .channel('test-notifications')
    .on(
      'postgres_changes',
      {
        event: 'INSERT',
        schema: 'public',
        table: 'notifications',
      },
      (payload) => {
        shown.push(payload);
      },
    )
    .on('system', {}, (message) => subscribed.push(message))
    .subscribe();

  await expect.poll(() => subscribed, { timeout: 10_000 }).toMatchObject([{ status: 'ok' }]);
  await db.sql`select create_notification(${other.id}, 'system', 'Not yours', 'Text')`;
  await db.sql`select create_notification(${instructor.id}, 'system', 'Yours', 'Text')`;
  await expect
    .poll(() => shown, { timeout: 10_000 })
    .toMatchObject([
      {
        eventType: 'INSERT',
        schema: 'public',
        table: 'notifications',
        new: { user_id: instructor.id, title: 'Yours', read_at: null },
      },
    ]);
});

it('“Test Presence”: who joins is in the state', async () => {
  await using db = await testDatabase();
  await using supabase = await supabaseClient(db, await db.a.instructor());
  const states: RealtimePresenceState[] = [];

  const presenceChannel = supabase
    .channel('presence-test', {
      config: { presence: { key: 'user-123' } },
    })
    .on('presence', { event: 'sync' }, () => {
      const state = presenceChannel.presenceState();
      states.push({ ...state });
    })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- word for word
    .subscribe(async (status) => {
      if (`${status}` === 'SUBSCRIBED') {
        await presenceChannel.track({
          user_id: 'user-123',
          name: 'Test User',
          status: 'online',
        });
      }
    });

  await expect
    .poll(() => states.at(-1), { timeout: 10_000 })
    .toMatchObject({ 'user-123': [{ user_id: 'user-123', name: 'Test User', status: 'online' }] });
});
