import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js';
import type { Actor, TestDatabase } from './test-database.ts';

/** A browser: plain supabase-js through the gateway, signed in as `user`, as nobody for null. */
export async function supabaseClient(
  db: TestDatabase,
  user: Actor | null,
): Promise<SupabaseClient & AsyncDisposable> {
  const { apiUrl, publishableKey } = await db.gateway();
  const token = user && (await db.token(user));
  const client = createClient(apiUrl, publishableKey, {
    ...(token === null
      ? { auth: { persistSession: false, autoRefreshToken: false } }
      : { accessToken: () => Promise.resolve(token) }),
  });
  // Otherwise the first join could leave before the token is known.
  if (token !== null) await client.realtime.setAuth();
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.removeAllChannels();
      await client.realtime.disconnect();
    },
  });
}

/** Joins; rejects when that is refused. */
export function joined(channel: RealtimeChannel): Promise<RealtimeChannel> {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (`${status}` === 'SUBSCRIBED') resolve(channel);
      else reject(error ?? new Error(status));
    });
  });
}
