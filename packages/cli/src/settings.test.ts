import { describe, expect, it } from 'vitest';
import { readSettings } from './settings.ts';

describe('readSettings', () => {
  it('has a default for everything, and then runs its own stack', () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      studentPort: 5173,
      instructorPort: 5174,
      supabasePort: 54_321,
      postgresPort: 54_322,
      host: '127.0.0.1',
      project: null,
    });
    expect(settings.dataDir).toMatch(/\.homeroom$/);
  });

  it('treats an empty variable as one that is not set', () => {
    expect(readSettings({ STUDENT_PORT: '', PUBLIC_SUPABASE_URL: '' })).toMatchObject({
      studentPort: 5173,
      project: null,
    });
  });

  it('names the variable that is wrong and what it holds', () => {
    expect(() => readSettings({ STUDENT_PORT: '70000' })).toThrow(
      'STUDENT_PORT must be between 0 and 65535; it is "70000".',
    );
  });

  it('names every variable that a project of one’s own still lacks', () => {
    expect(() => readSettings({ PUBLIC_SUPABASE_URL: 'https://example.supabase.co' })).toThrow(
      /PUBLISHABLE_KEY is missing[\s\S]*SECRET_KEY is missing[\s\S]*DATABASE_URL is missing/,
    );
  });

  it('takes a whole project, without a JWT secret where its keys are asymmetric', () => {
    const { project } = readSettings({
      PUBLIC_SUPABASE_URL: 'https://example.supabase.co',
      PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_x',
      SUPABASE_SECRET_KEY: 'sb_secret_x',
      DATABASE_URL: 'postgres://postgres:secret@db.example.supabase.co:5432/postgres',
    });
    expect(project?.SUPABASE_JWT_SECRET).toBeUndefined();
  });

  it('takes a mail server with who mails are from, and none unless told', () => {
    expect(readSettings({}).mail).toBeNull();
    const SMTP_URL = 'smtp://mail.example.org:587';
    expect(readSettings({ SMTP_URL, MAIL_FROM: 'post@example.org' }).mail).toEqual({
      ...{ SMTP_URL, MAIL_FROM: 'post@example.org' },
    });
    expect(() => readSettings({ SMTP_URL })).toThrow('MAIL_FROM is missing: it must say who');
    expect(() => readSettings({ SMTP_URL: 'mail.example.org' })).toThrow(
      'SMTP_URL must be a mail server like smtp://',
    );
  });
});
