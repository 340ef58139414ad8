import { expect, it } from 'vitest';
import { readSettings, SettingsError } from './settings.ts';

const COMPLETE = {
  PUBLIC_SUPABASE_URL: 'http://127.0.0.1:54321/',
  PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_test',
  DATABASE_URL: 'postgres://postgres:postgres@127.0.0.1:54322/postgres',
};

it('reads what is set and fills in the rest', () => {
  expect(readSettings(COMPLETE)).toMatchObject({
    supabaseUrl: 'http://127.0.0.1:54321',
    jwtSecret: undefined,
    poolSize: 10,
    prepare: true,
    logLevel: 'info',
  });
});

it('names every variable that is missing or wrong, and says what to set', () => {
  const read = () =>
    readSettings({ ...COMPLETE, PUBLIC_SUPABASE_URL: 'ftp://x', DATABASE_URL: '' });
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(/PUBLIC_SUPABASE_URL: set it to the URL of the project/);
  expect(read).toThrow(/DATABASE_URL: set it to a connection string/);
});

it('takes an empty optional variable as unset', () => {
  const settings = readSettings({ ...COMPLETE, SUPABASE_JWT_SECRET: '', DATABASE_POOL_SIZE: '' });
  expect(settings).toMatchObject({ jwtSecret: undefined, poolSize: 10 });
});

it('refuses a secret that is too short to be one', () => {
  const read = () => readSettings({ ...COMPLETE, SUPABASE_JWT_SECRET: 'secret' });
  expect(read).toThrow(/SUPABASE_JWT_SECRET: has to be at least 32 characters/);
});

it('takes a mail server with who mails are from and where they lead, and says what is missing', () => {
  const mail = {
    SMTP_URL: 'smtps://homeroom:secret@mail.example.org',
    MAIL_FROM: 'Homeroom <post@example.org>',
    PUBLIC_STUDENT_URL: 'https://learn.example.org/',
    PUBLIC_INSTRUCTOR_URL: 'https://teach.example.org',
  };
  expect(readSettings({ ...COMPLETE, ...mail })).toMatchObject({
    smtpUrl: mail.SMTP_URL,
    mailFrom: mail.MAIL_FROM,
    studentUrl: 'https://learn.example.org',
  });
  const read = (changed: object) => () => readSettings({ ...COMPLETE, ...mail, ...changed });
  expect(read({ MAIL_FROM: '' })).toThrow(/MAIL_FROM: has to be set where SMTP_URL is/);
  expect(read({ PUBLIC_INSTRUCTOR_URL: '' })).toThrow(/PUBLIC_INSTRUCTOR_URL: has to be set/);
  expect(read({ SMTP_URL: 'https://mail.example.org' })).toThrow(/SMTP_URL: set it to a mail/);
  expect(read({ MAIL_FROM: 'x@y>\r\nBcc: all' })).toThrow(/MAIL_FROM: set it to who mails/);
});
