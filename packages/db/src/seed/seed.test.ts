import { createClient } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';
import { DEMO_PASSWORD, demoAccounts, seed } from './seed.ts';
import { noRows } from './rows.ts';
import { schoolAt } from './school.ts';

const now = new Date('2026-03-14T09:26:53.589Z');

/** Everything in the tables that the seed writes; what the database adds by its clock left out. */
async function contents(sql: Awaited<ReturnType<typeof testDatabase>>['sql']) {
  const tables = Object.keys(noRows()).map((name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  const all = await Promise.all(
    ['users', ...tables].map(async (table) => {
      const [row] = await sql`
        select count(*)::integer as rows, md5(string_agg(entry, '' order by entry)) as sum
        from (
          select (to_jsonb(t) - 'created_at' - 'updated_at')::text as entry from ${sql(table)} as t
        ) as entries`;
      return [table, row];
    }),
  );
  return Object.fromEntries(all) as Record<string, { rows: number; sum: string }>;
}

it('writes the demo school once, tells nobody, and gives the same to every database', async () => {
  await using first = await testDatabase();
  await using second = await testDatabase();
  const told: string[] = [];
  const isNew = await seed({ dbUrl: first.url, now, onProgress: (message) => told.push(message) });
  await seed({ dbUrl: second.url, now });

  expect(isNew).toEqual({ isSeeded: true });
  expect(told).toContain('Demo data: 53 people');
  const written = await contents(first.sql);
  expect(written).toEqual(await contents(second.sql));
  expect(written.users?.rows).toBe(53);
  expect(written.notifications?.rows).toBe(schoolAt(now).rows.notifications.length);
  const [live] = await first.sql`
    select
      (select count(*)::integer from private.live_events) as events,
      (select count(*)::integer from realtime.messages) as messages`;
  expect(live).toEqual({ events: 0, messages: 0 });

  expect(await seed({ dbUrl: first.url, now: new Date() })).toEqual({ isSeeded: false });
  expect(await contents(first.sql)).toEqual(written);
});

it('fills the leaderboards, with the movement since Monday', async () => {
  await using db = await testDatabase();
  await seed({ dbUrl: db.url });
  await db.sql`select private.tell_leaderboards()`;
  const [wrong] = await db.sql`
    select count(*)::integer as count
    from (
      select board, score, rank() over (partition by board order by shown_score desc) as plain
      from private.leaderboard_scores where shown_score is not null
    ) as ranked
    where plain <> 1 + private.students_above(board, score)`;
  expect(wrong).toEqual({ count: 0 });
  const [told] = await db.sql<{ entries: { movement: number | null }[] }[]>`
    select entries from private.leaderboard_told where scope = 'global'`;
  expect(told?.entries.length).toBeGreaterThan(40);
  expect(told?.entries.filter(({ movement }) => movement).length).toBeGreaterThan(0);
});

it('declares the achievements as the migrations do', async () => {
  await using db = await testDatabase();
  const declared = await db.sql`
    select key, title, description, icon, points, rule from public.achievements`;
  for (const achievement of schoolAt(now).rows.achievements) {
    expect([...declared]).toContainEqual(achievement);
  }
});

it('lets every demo account sign in, with its role', async () => {
  await using db = await testDatabase();
  await seed({ dbUrl: db.url, now });
  const gateway = await db.gateway();
  const roles = { ...demoAccounts, second: 'tomas.abreu@homeroom.test' };
  for (const [name, email] of Object.entries(roles)) {
    const client = createClient(gateway.apiUrl, gateway.publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
    const { data, error } = await client.auth.signInWithPassword({
      email,
      password: DEMO_PASSWORD,
    });
    expect(error, email).toBeNull();
    const { data: own } = await client.from('users').select('email, role').eq('id', data.user?.id);
    const role = name === 'second' ? 'instructor' : name.startsWith('student') ? 'student' : name;
    expect(own).toEqual([{ email, role }]);
  }
});

it('leaves nothing behind when it fails half-way', async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.messages add constraint messages_fail check (content = '')`;
  await expect(seed({ dbUrl: db.url, now })).rejects.toThrow();
  const written = await contents(db.sql);
  expect(written.users?.rows).toBe(0);
  expect(written.courses?.rows).toBe(0);
});
