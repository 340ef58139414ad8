import { createClient } from '@supabase/supabase-js';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { testProject } from '../testing/test-project.ts';

const ANN = '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a01';

it('lets in, over REST and Realtime, who has a token that another signed', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'theirs', alg: 'ES256', use: 'sig' };
  const sign = (kid: string): Promise<string> =>
    new SignJWT({ role: 'authenticated', sub: ANN })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setExpirationTime('1h')
      .sign(privateKey);
  await using project = await testProject(
    `create table notes (id integer primary key, owner uuid);
     alter table notes enable row level security;
     create policy own on notes to authenticated using (owner = (select auth.uid()));
     insert into notes values (1, '${ANN}'), (2, null);
     create policy own on realtime.messages for select to authenticated
       using ((select realtime.topic()) = (select auth.uid())::text);`,
    { jwks: { keys: [jwk] } },
  );
  const clientWith = (token: string) =>
    createClient(project.gateway.apiUrl, project.gateway.publishableKey, {
      accessToken: () => Promise.resolve(token),
    });

  const ann = clientWith(await sign('theirs'));
  expect((await ann.from('notes').select('id')).data).toEqual([{ id: 1 }]);
  await ann.realtime.setAuth();
  const joined = await new Promise<string>((resolve) =>
    ann.channel(ANN, { config: { private: true } }).subscribe((status) => resolve(status)),
  );
  expect(joined).toBe('SUBSCRIBED');
  await ann.realtime.disconnect();

  const stranger = clientWith(await sign('unknown'));
  expect((await stranger.from('notes').select('id')).error?.code).toBe('PGRST301');
});
