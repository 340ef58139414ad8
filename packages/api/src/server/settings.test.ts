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
