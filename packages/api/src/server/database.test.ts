import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { classroom } from '../testing/classroom.ts';
import { createAsUser } from './database.ts';
import { toApiError } from './errors.ts';

const who = sql`
  select
    current_user as "role",
    (select auth.uid()) as "userId",
    current_setting('transaction_isolation') as "isolation",
    current_setting('transaction_read_only') as "readOnly"`;

it.each([
  { mode: 'read', isolation: 'repeatable read', readOnly: 'on' },
  { mode: 'write', isolation: 'read committed', readOnly: 'off' },
] as const)('runs the first statement of a $mode as the user already', async ({ mode, ...as }) => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const asUser = createAsUser(room.api.db);
  const [row] = await asUser({ userId: ann.id, email: ann.email }, mode, (tx) => tx.execute(who));
  expect(row).toEqual({ role: 'authenticated', userId: ann.id, ...as });
});

it('leaves nothing of the user behind on the connection', async () => {
  await using room = await classroom({ poolSize: 1 });
  const ann = await room.db.a.student();
  const asUser = createAsUser(room.api.db);
  const [before] = await room.api.db.execute(who);
  const claims = { userId: ann.id, email: ann.email };
  await asUser(claims, 'write', (tx) => tx.execute(who));
  await expect(asUser(claims, 'read', (tx) => tx.execute(sql`select 1 / 0`))).rejects.toThrow();
  const [after] = await room.api.db.execute(who);
  expect(after).toEqual(before);
  expect(after).toMatchObject({ userId: null });
});

it('undoes everything when the work fails', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const asUser = createAsUser(room.api.db);
  const failing = asUser({ userId: ann.id, email: ann.email }, 'write', async (tx) => {
    await tx.execute(sql`update public.users set first_name = 'Zoe' where id = ${ann.id}::uuid`);
    throw new Error('after the change');
  });
  await expect(failing).rejects.toThrow('after the change');
  const [user] = await room.db.sql`select first_name from public.users where id = ${ann.id}`;
  expect(user?.['first_name']).not.toBe('Zoe');
});

it('works without prepared statements, as behind a transaction pooler', async () => {
  await using room = await classroom({ prepare: false });
  const ann = await room.db.a.student();
  const { identity } = await room.as(ann);
  expect(await identity.me.query()).toMatchObject({ id: ann.id });
  expect(await identity.updateMe.mutate({ firstName: 'Zoe' })).toMatchObject({ firstName: 'Zoe' });
});

it('says that it is unavailable when its connections are cut, and comes back by itself', async () => {
  await using room = await classroom({ poolSize: 2 });
  const ann = await room.db.a.student();
  const asUser = createAsUser(room.api.db);
  const claims = { userId: ann.id, email: ann.email };
  const cut = asUser(claims, 'write', async (tx) => {
    const [backend] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
    await room.db.sql`select pg_terminate_backend(${backend?.pid ?? 0})`;
    return tx.execute(sql`select 1`);
  });
  await expect(cut).rejects.toSatisfy((error) => toApiError(error).appCode === 'UNAVAILABLE');
  expect(await (await room.as(ann)).identity.me.query()).toMatchObject({ id: ann.id });
  expect(await room.api.health()).toMatchObject({ ok: true });
});
