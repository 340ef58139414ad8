import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestProject, testProject } from '../../testing/test-project.ts';

const PASSWORD = 'correct horse';
let project: TestProject;
beforeAll(async () => {
  project = await testProject('', {
    ...{ siteUrl: 'http://localhost:5173', mailIntervalSeconds: 60 },
  });
});
afterAll(() => project[Symbol.asyncDispose]());

const admin = () => project.client(project.gateway.secretKey).auth.admin;
const newEmail = () => `${crypto.randomUUID()}@school.test`;

describe('generateLink', () => {
  it('makes an account that is confirmed by its link', async () => {
    const email = newEmail();
    const made = await admin().generateLink({ type: 'signup', email, password: PASSWORD });
    expect(made.data.properties).toMatchObject({
      ...{ verification_type: 'signup', redirect_to: 'http://localhost:5173' },
      action_link: expect.stringContaining('/auth/v1/verify?token=') as string,
    });
    const client = project.client();
    const early = await client.auth.signInWithPassword({ email, password: PASSWORD });
    expect(early.error?.code).toBe('email_not_confirmed');
    const followed = await fetch(made.data.properties?.action_link ?? '', { redirect: 'manual' });
    expect(followed.headers.get('location')).toMatch(/^http:\/\/localhost:5173\/?#access_token=/);
    const late = await client.auth.signInWithPassword({ email, password: PASSWORD });
    expect(late.error).toBeNull();
  });

  it.each(['magiclink', 'recovery'] as const)('signs in by %s', async (type) => {
    const email = newEmail();
    await admin().createUser({ email, email_confirm: true });
    const { data } = await admin().generateLink({ type, email });
    const { error, data: session } = await project.client().auth.verifyOtp({
      ...{ token_hash: data.properties?.hashed_token ?? '', type },
    });
    expect([error, session.user?.email]).toEqual([null, email]);
  });

  it('gives a code that may be typed', async () => {
    const email = newEmail();
    const { data } = await admin().generateLink({ type: 'magiclink', email });
    const token = data.properties?.email_otp ?? '';
    const { error } = await project.client().auth.verifyOtp({ email, token, type: 'email' });
    expect(error).toBeNull();
  });

  it('refuses a second sign-up, and to recover what isn’t there', async () => {
    const email = newEmail();
    await admin().createUser({ email, email_confirm: true });
    const again = await admin().generateLink({ type: 'signup', email, password: PASSWORD });
    expect(again.error?.code).toBe('email_exists');
    const unknown = await admin().generateLink({ type: 'recovery', email: newEmail() });
    expect(unknown.error?.code).toBe('user_not_found');
  });

  it('is for administrators', async () => {
    const { error } = await project
      .client()
      .auth.admin.generateLink({ type: 'magiclink', email: newEmail() });
    expect(error?.code).toBe('not_admin');
  });
});

describe('inviteUserByEmail', () => {
  it('sends a link that makes the account one’s own', async () => {
    const email = newEmail();
    const { data, error } = await admin().inviteUserByEmail(email, { data: { first_name: 'Ann' } });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({ email, user_metadata: { first_name: 'Ann' } });
    expect(data.user?.invited_at).toBeDefined();
    const [mail] = await project.mails(email);
    expect(mail?.kind).toBe('invite');
    const link = new URL(mail?.link ?? '').searchParams;
    const client = project.client();
    const accepted = await client.auth.verifyOtp({
      ...{ token_hash: link.get('token_hash') ?? '', type: 'invite' },
    });
    expect(accepted.data.user?.email).toBe(email);
    expect((await client.auth.updateUser({ password: PASSWORD })).error).toBeNull();
  });

  it('doesn’t invite who is there', async () => {
    const email = newEmail();
    await admin().createUser({ email, email_confirm: true });
    expect((await admin().inviteUserByEmail(email)).error?.code).toBe('email_exists');
  });
});

describe('a link to sign in, for an address that is new', () => {
  const confirmedAt = async (email: string) => {
    const [user] = await project.sql`
      select email_confirmed_at as at from auth.users where email = ${email}`;
    return user?.['at'] as Date | null | undefined;
  };

  it('makes an account that is confirmed when the link is followed, not before', async () => {
    const email = newEmail();
    const client = project.client();
    await client.auth.signInWithOtp({ email, options: { data: { first_name: 'Ann' } } });
    expect(await confirmedAt(email)).toBeNull();
    const [mail] = await project.mails(email);
    const { data } = await client.auth.verifyOtp({ email, token: mail?.code ?? '', type: 'email' });
    expect(data.user?.user_metadata).toMatchObject({ first_name: 'Ann' });
    expect(await confirmedAt(email)).toBeInstanceOf(Date);
  });

  it('makes none with `shouldCreateUser: false`', async () => {
    const email = newEmail();
    const { error } = await project
      .client()
      .auth.signInWithOtp({ email, options: { shouldCreateUser: false } });
    expect(error?.code).toBe('otp_disabled');
    expect(await confirmedAt(email)).toBeUndefined();
    expect(await project.mails(email)).toEqual([]);
  });

  it('makes none without an API key', async () => {
    const email = newEmail();
    const body = JSON.stringify({ email, create_user: true });
    await fetch(`${project.gateway.apiUrl}/auth/v1/otp`, { method: 'POST', body });
    expect(await confirmedAt(email)).toBeUndefined();
  });
});

it('sends no second mail of a kind within a minute', async () => {
  const email = newEmail();
  await admin().createUser({ email, email_confirm: true });
  const { auth } = project.client();
  expect((await auth.resetPasswordForEmail(email)).error).toBeNull();
  const { error } = await auth.resetPasswordForEmail(email);
  expect([error?.status, error?.code]).toEqual([429, 'over_email_send_rate_limit']);
  expect(error?.message).toMatch(
    /^For security purposes, you can only request this after \d+ seconds\.$/,
  );
  expect(await project.mails(email)).toHaveLength(1);
});
