import { expect, it } from 'vitest';
import { allowConnect } from './csp.ts';

it('lets the page reach the project and its socket, and nothing else', () => {
  const policy = "default-src 'self'; connect-src 'self'; base-uri 'self'";
  expect(allowConnect(policy, 'https://school.supabase.co/')).toBe(
    "default-src 'self'; connect-src 'self' https://school.supabase.co wss://school.supabase.co; base-uri 'self'",
  );
  expect(allowConnect(policy, 'http://127.0.0.1:54321')).toContain('ws://127.0.0.1:54321');
});
