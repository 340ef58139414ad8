import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestProject, testProject } from '../testing/test-project.ts';

const PASSWORD = 'correct horse';
let project: TestProject;

beforeAll(async () => {
  project = await testProject(
    `create table profiles (id uuid primary key, first_name text);
     create function follow() returns trigger language plpgsql security definer
       set search_path = '' as $$
       begin
         insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'first_name');
         return null;
       end $$;
     create trigger follow after insert on auth.users for each row execute function follow();`,
    { siteUrl: 'http://localhost:5173', redirectUrls: ['https://teach.test/**'] },
  );
});

afterAll(() => project[Symbol.asyncDispose]());

/** What `/auth/confirm` of an app finds in its address. */
function confirmation(link: string | null | undefined) {
  const url = new URL(link ?? '');
  const get = (name: string) => url.searchParams.get(name);
  return {
    page: url.origin + url.pathname,
    tokenHash: get('token_hash') ?? '',
    type: get('type') ?? '',
    next: get('next'),
  };
}

/** A person with a confirmed address, signed in. */
async function signedUp(email: string) {
  const client = project.client();
  await client.auth.signUp({ email, password: PASSWORD });
  const [mail] = await project.mails(email);
  const { tokenHash } = confirmation(mail?.link);
  const { data } = await client.auth.verifyOtp({ token_hash: tokenHash, type: 'email' });
  return { client, session: data.session };
}

describe('signing up', () => {
  it('asks for the confirmation of the address, by a link to the page of the app', async () => {
    const client = project.client();
    const { data, error } = await client.auth.signUp({
      email: 'Ann@School.test',
      password: PASSWORD,
      options: { data: { first_name: 'Ann' } },
    });
    expect(error).toBeNull();
    expect(data.session).toBeNull();
    const early = await client.auth.signInWithPassword({
      email: 'ann@school.test',
      password: PASSWORD,
    });
    expect(early.error?.code).toBe('email_not_confirmed');

    const [mail] = await project.mails('ann@school.test');
    const link = confirmation(mail?.link);
    expect(link).toMatchObject({ page: 'http://localhost:5173/auth/confirm', type: 'email' });
    const verified = await client.auth.verifyOtp({ token_hash: link.tokenHash, type: 'email' });
    expect(verified.data.user?.user_metadata).toMatchObject({
      first_name: 'Ann',
      email_verified: true,
    });
    const again = await client.auth.verifyOtp({ token_hash: link.tokenHash, type: 'email' });
    expect(again.error?.code).toBe('otp_expired');
  });

  it('shows triggers of the app the metadata as an object', async () => {
    const client = project.client();
    const { data } = await client.auth.signUp({
      email: 'bea@school.test',
      password: PASSWORD,
      options: { data: { first_name: 'Bea' } },
    });
    expect(
      await project.sql`select first_name from profiles where id = ${data.user?.id ?? ''}`,
    ).toEqual([{ first_name: 'Bea' }]);
  });

  it('takes the code of the mail instead of its link', async () => {
    const client = project.client();
    await client.auth.signUp({ email: 'cy@school.test', password: PASSWORD });
    const [mail] = await project.mails('cy@school.test');
    const { error } = await client.auth.verifyOtp({
      ...{ email: 'cy@school.test', token: mail?.code ?? '', type: 'email' },
    });
    expect(error).toBeNull();
  });

  it.each([
    ['https://teach.test/courses?tab=all', 'https://teach.test/auth/confirm', '/courses?tab=all'],
    ['http://127.0.0.1:5174/', 'http://127.0.0.1:5174/auth/confirm', null],
    ['http://localhost:5174/auth/confirm?next=/a', 'http://localhost:5174/auth/confirm', '/a'],
    ['https://evil.test/courses', 'http://localhost:5173/auth/confirm', null],
  ])('links to the app that asked, if it is allowed: %s', async (emailRedirectTo, page, next) => {
    const email = `${crypto.randomUUID()}@school.test`;
    await project.client().auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo } });
    const [mail] = await project.mails(email);
    expect(confirmation(mail?.link)).toMatchObject({ page, next });
  });
});

describe('a session', () => {
  it('begins with the password, and not with another one', async () => {
    await signedUp('dan@school.test');
    const client = project.client();
    const wrong = await client.auth.signInWithPassword({
      email: 'dan@school.test',
      password: 'wrong horse',
    });
    expect(wrong.error?.code).toBe('invalid_credentials');
    const right = await client.auth.signInWithPassword({
      email: 'DAN@school.test',
      password: PASSWORD,
    });
    expect(right.data.user?.email).toBe('dan@school.test');
    expect(right.data.user?.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('has tokens for policies and Realtime, signed with the secret of the stack', async () => {
    const { session, client } = await signedUp('eva@school.test');
    const { data } = await client.auth.getClaims(session?.access_token);
    expect(data?.claims).toMatchObject({
      ...{ role: 'authenticated', aud: 'authenticated', email: 'eva@school.test' },
      sub: session?.user.id,
    });
  });

  it('is refreshed, also by two tabs with the same token', async () => {
    const { session } = await signedUp('finn@school.test');
    const refresh = { refresh_token: session?.refresh_token ?? '' };
    const first = await project.client().auth.refreshSession(refresh);
    const second = await project.client().auth.refreshSession(refresh);
    expect([first.error, second.error]).toEqual([null, null]);
    expect(second.data.session?.refresh_token).toBe(first.data.session?.refresh_token);
  });

  it('ends with signing out', async () => {
    const { client, session } = await signedUp('gus@school.test');
    await client.auth.signOut();
    const refresh = { refresh_token: session?.refresh_token ?? '' };
    const { error } = await project.client().auth.refreshSession(refresh);
    expect(error?.status).toBe(400);
  });
});

it('signs in by a link', async () => {
  await signedUp('hal@school.test');
  const client = project.client();
  await client.auth.signInWithOtp({
    email: 'hal@school.test',
    options: { emailRedirectTo: 'http://localhost:5174/courses' },
  });
  const [mail] = await project.mails('hal@school.test');
  expect(mail?.kind).toBe('magic_link');
  const link = confirmation(mail?.link);
  expect(link).toMatchObject({ type: 'email', next: '/courses' });
  const { data } = await client.auth.verifyOtp({ token_hash: link.tokenHash, type: 'email' });
  expect(data.user?.email).toBe('hal@school.test');
});

it('gives a forgotten password anew', async () => {
  await signedUp('ida@school.test');
  const client = project.client();
  await client.auth.resetPasswordForEmail('ida@school.test', {
    redirectTo: 'http://localhost:5173/account/password',
  });
  const [mail] = await project.mails('ida@school.test');
  const link = confirmation(mail?.link);
  expect(link).toMatchObject({ type: 'recovery', next: '/account/password' });
  await client.auth.verifyOtp({ token_hash: link.tokenHash, type: 'recovery' });
  const { error } = await client.auth.updateUser({ password: 'another horse' });
  expect(error).toBeNull();
  const after = await project
    .client()
    .auth.signInWithPassword({ email: 'ida@school.test', password: 'another horse' });
  expect(after.error).toBeNull();
});

it('answers nobody without an API key', async () => {
  const answer = await fetch(`${project.gateway.apiUrl}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    body: '{}',
  });
  expect(answer.status).toBe(401);
});

it('lets the gateway answer others while it hashes passwords', async () => {
  const order: string[] = [];
  const signUps = Array.from({ length: 8 }, async (_, index) => {
    await project.client().auth.signUp({ email: `jo${index}@school.test`, password: PASSWORD });
    order.push('signed up');
  });
  // One after the other: a gateway that hashed in its own thread would answer after all of them.
  for (let asked = 0; asked < 3; asked += 1) {
    await fetch(`${project.gateway.apiUrl}/health`);
    order.push('health');
  }
  await Promise.all(signUps);
  expect(order.at(-1)).toBe('signed up');
});
