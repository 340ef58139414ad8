import {
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
} from 'jose';
import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import { keySetSchema, type KeySet } from './signing-keys.ts';

const ORIGIN = 'https://learn.homeroom.test';

async function newKey(): Promise<KeySet['keys'][number]> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return keySetSchema.parse({ keys: [await exportJWK(privateKey)] }).keys[0]!;
}

const publicHalf = ({ kty, n, e }: KeySet['keys'][number]) => ({ kty, n, e });

async function certified(room: Classroom) {
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const module = await room.db.a.module(course, 1);
  const student = await room.db.a.student({ firstName: 'Ada', lastName: 'Lovelace' });
  await room.db.sql`
    insert into enrollments (user_id, course_id) values (${student.id}, ${course.id})`;
  const { certificate } = await (
    await room.as(student)
  ).progress.completeLesson.mutate({ lessonId: module.lessonIds[0] ?? '' });
  if (!certificate) throw new Error('No certificate was issued');
  return { instructor, course, student, certificate };
}

/** Verifies as somebody outside would, who has the credential and what the issuer publishes. */
async function verify(jwt: string, { api }: Classroom) {
  const published = await api.issuer?.keySet();
  if (!published) throw new Error('Nothing is published');
  const keys = createLocalJWKSet(published);
  return jwtVerify(jwt, keys, {
    issuer: `${ORIGIN}/credentials/issuer`,
    algorithms: ['RS256'],
    typ: 'JWT',
  });
}

it('is verified by what the issuer publishes, and by nothing of ours besides', async () => {
  const credentialKeys = { keys: [await newKey()] };
  await using room = await classroom({ credentialKeys, studentUrl: ORIGIN });
  const { student, course, certificate } = await certified(room);
  const { serialNumber } = certificate;
  const nobody = await room.as(null);
  const { jwt } = await nobody.certificates.badge.query({ serialNumber });

  const { payload, protectedHeader } = await verify(jwt, room);
  expect(payload).toMatchObject({
    jti: payload.id,
    type: ['VerifiableCredential', 'OpenBadgeCredential'],
    issuer: { id: payload.iss, name: 'Homeroom' },
    validFrom: new Date(certificate.issuedAt).toISOString(),
    credentialSubject: {
      identifier: [{ identityType: 'name', identityHash: 'Ada Lovelace', hashed: false }],
      achievement: { name: course.title, criteria: { narrative: expect.any(String) as string } },
    },
    credentialStatus: { id: `${ORIGIN}/verify/${serialNumber}/status` },
  });
  expect(JSON.stringify(payload)).not.toContain(student.id);
  expect(JSON.stringify(payload)).not.toContain(student.email);
  // The key is to be found at its own address too, bare, as Open Badges want it.
  const id = protectedHeader.kid?.split('/').at(-1) ?? '';
  expect(protectedHeader.kid).toBe(`${ORIGIN}/credentials/keys/${id}`);
  expect(await room.api.issuer?.key(id)).toEqual(publicHalf(credentialKeys.keys[0]!));
  expect(JSON.stringify(await room.api.issuer?.keySet())).not.toContain('"d"');
});

it('is worth nothing when a letter of it was changed, or when others have signed it', async () => {
  const credentialKeys = { keys: [await newKey()] };
  await using room = await classroom({ credentialKeys, studentUrl: ORIGIN });
  await using other = await classroom({
    credentialKeys: { keys: [await newKey()] },
    studentUrl: ORIGIN,
  });
  const { certificate } = await certified(room);
  const { serialNumber } = certificate;
  const { jwt } = await (await room.as(null)).certificates.badge.query({ serialNumber });
  const [header = '', body = '', signature = ''] = jwt.split('.');
  const claims = Buffer.from(body, 'base64url').toString().replace('Ada', 'Eve');
  const forged = [header, Buffer.from(claims).toString('base64url'), signature].join('.');
  await expect(verify(forged, room)).rejects.toThrow(/signature verification failed/);
  await expect(verify(jwt, other)).rejects.toThrow(/no applicable key/);
  const unsigned = [Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url'), body, ''];
  await expect(verify(unsigned.join('.'), room)).rejects.toThrow();
});

it('states by its own status when the certificate was taken back', async () => {
  await using room = await classroom({
    credentialKeys: { keys: [await newKey()] },
    studentUrl: ORIGIN,
  });
  const { instructor, certificate } = await certified(room);
  const { serialNumber } = certificate;
  const nobody = await room.as(null);
  const { payload } = await verify(
    (await nobody.certificates.badge.query({ serialNumber })).jwt,
    room,
  );
  const status = () => nobody.certificates.badgeStatus.query({ serialNumber });
  expect(await status()).toEqual({
    id: (payload.credentialStatus as { id: string }).id,
    issuer: payload.iss,
    revokedCredentials: [],
  });
  const staff = await room.as(instructor);
  await staff.certificates.revoke.mutate({ certificateId: certificate.id, reason: 'Copied.' });
  expect((await status()).revokedCredentials).toEqual([
    { id: payload.id, revoked: true, revocationReason: 'Copied.' },
  ]);
});

it('is still verified after the keys have changed, and signed with the new one', async () => {
  const [before, after] = [await newKey(), await newKey()];
  await using room = await classroom({ credentialKeys: { keys: [before] }, studentUrl: ORIGIN });
  const { certificate } = await certified(room);
  const { serialNumber } = certificate;
  const { jwt } = await (await room.as(null)).certificates.badge.query({ serialNumber });
  await using later = await classroom({
    credentialKeys: { keys: [after, publicHalf(before)] },
    studentUrl: ORIGIN,
  });
  const { protectedHeader } = await verify(jwt, later);
  const again = await certified(later);
  const signed = await (
    await later.as(null)
  ).certificates.badge.query({ serialNumber: again.certificate.serialNumber });
  expect(decodeProtectedHeader(signed.jwt).kid).not.toBe(protectedHeader.kid);
  await verify(signed.jwt, later);
});

it('says that badges are not set up where there are no keys', async () => {
  await using room = await classroom();
  const nobody = await room.as(null);
  const asking = nobody.certificates.badge.query({ serialNumber: `HR-${'0'.repeat(32)}` });
  expect(await refusal(asking)).toMatchObject({ httpStatus: 404, appCode: 'BADGES_NOT_SET_UP' });
});
