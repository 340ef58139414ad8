import { expect, it } from 'vitest';
import type { Library, Stage } from '../stage.ts';
import { joined, listening, refusal } from '../stage.ts';
import type { Sign } from '../target.ts';

/** Who a key or a token speaks for. */
export function keyCases(stage: () => Stage, library: Library): void {
  const own = (id: string) => `conformance:own:${id}`;
  const isPrivate = { private: true };

  it('lets a user into what is the user’s own', async () => {
    const client = await stage().client(library, { user: stage().ann });
    await joined(client, own(stage().ann.id), isPrivate);
  });

  it('keeps out another user, and whoever has only the publishable key', async () => {
    const topic = own(stage().ann.id);
    for (const who of [{ user: stage().bob }, {}]) {
      const client = await stage().client(library, who);
      expect(await refusal(client, topic, isPrivate)).toContain(
        `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
      );
    }
  });

  it('lets the secret key in everywhere', async () => {
    const client = await stage().client(library, { secret: true });
    const side = await listening(client, own(stage().ann.id), isPrivate);
    await stage().send(own(stage().ann.id), 'secret', {});
    await side.heard.find(({ event }) => event === 'secret');
  });

  it('refuses a token that was tampered with', async () => {
    const [header, , signature] = stage().bob.accessToken.split('.');
    const token = [header, stage().ann.accessToken.split('.')[1], signature].join('.');
    const client = await stage().client(library, { token });
    expect(await refusal(client, own(stage().ann.id), isPrivate)).toContain(
      'JwtSignatureError: Failed to validate JWT signature',
    );
  });

  it('refuses what is no token', async () => {
    const client = await stage().client(library, { token: 'neither.a.token' });
    expect(await refusal(client, own(stage().ann.id), isPrivate)).toContain(
      'MalformedJWT: The token provided is not a valid JWT',
    );
  });

  for (const algorithm of ['HS256', 'ES256']) {
    const signed = async (seconds: number, id = stage().ann.id): Promise<string | null> => {
      const sign = stage().target.signers[algorithm];
      return sign === undefined ? null : sign({ role: 'authenticated', sub: id }, seconds);
    };

    it(`takes tokens signed with ${algorithm}`, async ({ skip }) => {
      const token = await signed(60);
      if (token === null) return skip('its keys are not known');
      const client = await stage().client(library, { token });
      await joined(client, own(stage().ann.id), isPrivate);
    });

    it(`refuses one signed with ${algorithm} that has run out`, async ({ skip }) => {
      const token = await signed(60);
      const old = await signed(-60);
      if (token === null || old === null) return skip('its keys are not known');
      const client = await stage().client(library, { token: old });
      expect(await refusal(client, own(stage().ann.id), isPrivate)).toMatch(
        /InvalidJWTToken: Token has expired 6\d seconds ago/,
      );
    });
  }

  it('ends the channel when its token runs out, however it was signed', async ({ skip }) => {
    const signers = Object.values(stage().target.signers);
    if (signers.length === 0) return skip('its keys are not known');
    const end = async (sign: Sign): Promise<void> => {
      const token = await sign({ role: 'authenticated', sub: stage().ann.id }, 2);
      const client = await stage().client(library, { token });
      const side = await joined(client, own(stage().ann.id), isPrivate);
      const last = await side.system.find(({ status }) => status === 'error');
      expect(last.message).toMatch(/^Token has expired \d+ seconds ago$/);
      await side.states.find(({ status }) => status === 'CLOSED');
    };
    // At the same time: a second has to pass for each.
    await Promise.all(signers.map(end));
  });

  it('goes on when the token is replaced in time', async ({ skip }) => {
    const sign = stage().target.signers['HS256'];
    if (sign === undefined) return skip('its keys are not known');
    const claims = { role: 'authenticated', sub: stage().ann.id };
    const [short, other] = [await sign(claims, 2), await sign(claims, 2)];
    const client = await stage().client(library, { token: short });
    const kept = await listening(client, own(stage().ann.id), isPrivate);
    await client.realtime.setAuth(await sign(claims, 600));
    const lost = await joined(
      await stage().client(library, { token: other }),
      own(stage().ann.id),
      isPrivate,
    );
    await lost.states.find(({ status }) => status === 'CLOSED');
    await stage().send(own(stage().ann.id), 'still here', {});
    await kept.heard.find(({ event }) => event === 'still here');
  });
}
