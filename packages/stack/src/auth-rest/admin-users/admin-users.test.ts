import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestProject, testProject } from '../../testing/test-project.ts';

let project: TestProject;

beforeAll(async () => {
  project = await testProject();
});

afterAll(() => project[Symbol.asyncDispose]());

const admin = () => project.client(project.gateway.secretKey).auth.admin;

async function created(email: string, more: Record<string, unknown> = {}) {
  const { data, error } = await admin().createUser({
    ...{ email, password: 'correct horse', email_confirm: true },
    ...more,
  });
  if (error !== null) throw error;
  return data.user;
}

describe('the holder of the secret key', () => {
  it('creates users who can sign in at once', async () => {
    const user = await created('ann@school.test', {
      user_metadata: { first_name: 'Ann' },
      app_metadata: { plan: 'free' },
    });
    expect(user).toMatchObject({
      ...{ email: 'ann@school.test', role: 'authenticated', aud: 'authenticated' },
      user_metadata: { first_name: 'Ann', email_verified: true },
      app_metadata: { provider: 'email', providers: ['email'], plan: 'free' },
      identities: [{ provider: 'email', identity_data: { email: 'ann@school.test' } }],
    });
    const client = project.client();
    const { data, error } = await client.auth.signInWithPassword({
      email: 'ann@school.test',
      password: 'correct horse',
    });
    expect(error).toBeNull();
    expect(data.user?.id).toBe(user.id);
  });

  it('chooses the id, and leaves the address to be confirmed', async () => {
    const id = crypto.randomUUID();
    const user = await created('bea@school.test', { id, email_confirm: false });
    expect(user.id).toBe(id);
    const { error } = await project
      .client()
      .auth.signInWithPassword({ email: 'bea@school.test', password: 'correct horse' });
    expect(error?.code).toBe('email_not_confirmed');
  });

  it('gets, changes and deletes them', async () => {
    const { id } = await created('cy@school.test', { user_metadata: { a: 1, b: 2 } });
    const changed = await admin().updateUserById(id, {
      ...{ email: 'cyril@school.test', password: 'another horse' },
      user_metadata: { b: null, c: { deep: null } },
    });
    expect(changed.data.user?.user_metadata).toEqual({
      a: 1,
      c: { deep: null },
      email_verified: true,
    });
    const found = await admin().getUserById(id);
    expect(found.data.user?.email).toBe('cyril@school.test');
    const signedIn = await project
      .client()
      .auth.signInWithPassword({ email: 'cyril@school.test', password: 'another horse' });
    expect(signedIn.error).toBeNull();

    expect((await admin().deleteUser(id)).error).toBeNull();
    expect((await admin().getUserById(id)).error?.code).toBe('user_not_found');
    expect((await admin().deleteUser(id)).error?.code).toBe('user_not_found');
  });

  it('lists them in pages', async () => {
    for (const name of ['dan', 'eva', 'finn']) await created(`${name}@pages.test`);
    const first = await admin().listUsers({ page: 1, perPage: 2 });
    const second = await admin().listUsers({ page: 2, perPage: 2 });
    expect(first.data).toMatchObject({ nextPage: 2 });
    const emails = [...first.data.users, ...second.data.users].map((user) => user.email);
    expect(emails.slice(0, 3)).toEqual(['finn@pages.test', 'eva@pages.test', 'dan@pages.test']);
  });

  it('bans them for a while, and lets them in again', async () => {
    const { id } = await created('bob@school.test');
    const credentials = { email: 'bob@school.test', password: 'correct horse' };
    const session = await project.client().auth.signInWithPassword(credentials);
    const banned = await admin().updateUserById(id, { ban_duration: '1h30m' });
    expect(banned.data.user).toHaveProperty('banned_until');
    const refused = await project.client().auth.signInWithPassword(credentials);
    expect(refused.error?.code).toBe('user_banned');
    const refresh = { refresh_token: session.data.session?.refresh_token ?? '' };
    expect((await project.client().auth.refreshSession(refresh)).error).not.toBeNull();
    await admin().updateUserById(id, { ban_duration: 'none' });
    expect((await project.client().auth.signInWithPassword(credentials)).error).toBeNull();
  });

  it('may delete what tells who a user was, and keep the rest', async () => {
    const { id } = await created('gone@school.test');
    await admin().deleteUser(id, true);
    const [row] = await project.sql`
      select email, deleted_at is not null as deleted from auth.users where id = ${id}`;
    expect(row).toMatchObject({ deleted: true });
    expect(row?.['email']).not.toContain('gone');
  });

  it.each([
    [{ email: 'ann@school.test', password: 'correct horse' }, 'email_exists'],
    [{ email: 'not an address' }, 'validation_failed'],
    [{ email: 'short@school.test', password: 'abc' }, 'validation_failed'],
    [{ user_metadata: {} }, 'validation_failed'],
  ])('is told what is wrong with %j', async (given, code) => {
    const { error } = await admin().createUser(given);
    expect(error?.code).toBe(code);
  });
});

describe('anybody else', () => {
  it('is refused with the publishable key', async () => {
    const { error } = await project.client().auth.admin.listUsers();
    expect(error).toMatchObject({ status: 403, code: 'not_admin' });
  });

  it('is refused with a token of their own, whatever key is beside it', async () => {
    const { id } = await created('hal@school.test');
    const token = await project.token({ sub: id });
    for (const key of [project.gateway.publishableKey, project.gateway.secretKey]) {
      const answer = await fetch(`${project.gateway.apiUrl}/auth/v1/admin/users`, {
        headers: { apikey: key, authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(403);
    }
  });

  it.each([
    ['no key', {}],
    ['a wrong key', { apikey: 'sb_secret_wrong' }],
    ['the key as a token only', { authorization: 'Bearer sb_secret_wrong' }],
  ])('is refused with %s', async (_name, headers) => {
    const answer = await fetch(`${project.gateway.apiUrl}/auth/v1/admin/users`, { headers });
    expect(answer.status).toBe(401);
  });

  it('is refused with a token of another secret', async () => {
    const forged = await project.token({ sub: crypto.randomUUID(), role: 'service_role' });
    const [header, payload] = forged.split('.');
    const answer = await fetch(`${project.gateway.apiUrl}/auth/v1/admin/users`, {
      headers: {
        apikey: project.gateway.publishableKey,
        authorization: `Bearer ${header}.${payload}.${'A'.repeat(43)}`,
      },
    });
    expect(answer.status).toBe(403);
  });
});
