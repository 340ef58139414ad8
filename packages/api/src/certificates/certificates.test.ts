import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import {
  certificateEventSchemas,
  mineOutput,
  publicCertificateEventSchemas,
  verifyOutput,
} from './contract.ts';

async function finished(room: Classroom) {
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const module = await room.db.a.module(course, 1);
  const student = await room.db.a.student().enrolledIn(course);
  const client = await room.as(student);
  const { certificate } = await client.progress.completeLesson.mutate({
    lessonId: module.lessonIds[0] ?? '',
  });
  if (!certificate) throw new Error('No certificate was issued');
  return { instructor, course, student, client, certificate };
}

it('is verified by everybody who has its number', async () => {
  await using room = await classroom();
  const { student, course, certificate, client } = await finished(room);
  const mine = await client.certificates.mine.query();
  expect(mineOutput.safeParse(mine).error).toBeUndefined();
  expect(mine.data.items).toMatchObject([{ id: certificate.id, courseTitle: course.title }]);

  const nobody = await room.as(null);
  const { serialNumber } = certificate;
  const verified = await nobody.certificates.verify.query({ serialNumber });
  expect(verifyOutput.safeParse(verified).error).toBeUndefined();
  expect(verified.data).toMatchObject({
    isValid: true,
    studentName: `${student.firstName} ${student.lastName}`,
    courseTitle: course.title,
  });
  expect(JSON.stringify(verified)).not.toContain(student.email);
  expect(JSON.stringify(verified)).not.toContain(student.id);
  const small = serialNumber.toLowerCase().replace('hr-', 'HR-');
  expect(await nobody.certificates.verify.query({ serialNumber: small })).toEqual(verified);
  const forged = serialNumber.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  expect(await refusal(nobody.certificates.verify.query({ serialNumber: forged }))).toMatchObject({
    httpStatus: 404,
    appCode: 'CERTIFICATE_NOT_FOUND',
  });
  expect(
    await refusal(nobody.certificates.verify.query({ serialNumber: "' or true --" })),
  ).toMatchObject({ httpStatus: 400 });
});

it('is taken back by the staff of its course, with its points, once', async () => {
  await using room = await classroom();
  const { instructor, certificate, client, student } = await finished(room);
  const call = { certificateId: certificate.id, reason: 'Somebody else sat the quiz.' };
  const stranger = await room.as(await room.db.a.instructor());
  expect(await refusal(stranger.certificates.revoke.mutate(call))).toMatchObject({
    appCode: 'CERTIFICATE_NOT_FOUND',
  });
  expect(await refusal(client.certificates.revoke.mutate(call))).toMatchObject({
    appCode: 'ROLE_FORBIDDEN',
  });
  const before = await client.progress.stats.query();
  const staff = await room.as(instructor);
  const revoked = await staff.certificates.revoke.mutate(call);
  expect(revoked).toMatchObject({ revocationReason: call.reason });
  expect(await staff.certificates.revoke.mutate({ ...call, reason: 'Again' })).toEqual(revoked);
  const after = await client.progress.stats.query();
  expect(after.data).toMatchObject({
    certificatesEarned: 0,
    points: before.data.points - 50,
  });
  const { serialNumber } = certificate;
  const nobody = await room.as(null);
  const verified = await nobody.certificates.verify.query({ serialNumber });
  expect(verified.data).toMatchObject({ isValid: false, revocationReason: call.reason });

  // Whoever looks at it without an account hears of it, and speaks nowhere.
  const changes = await nobody.live.since.query({ ...verified.cursor, seq: 0 });
  if (changes.status !== 'events') throw new Error(changes.status);
  expect(changes.head).toBe(verified.cursor.seq);
  expect(changes.events.map(({ event }) => event)).toEqual(['certificate.changed']);
  const change = publicCertificateEventSchemas['certificate.changed'].parse(
    changes.events[0]?.data,
  );
  expect(verified.data).toMatchObject({ ...change.certificate, isValid: change.isValid });
  expect(await nobody.live.epoch.query({ topic: verified.cursor.topic })).toEqual({ epoch: 0 });
  const unknown = { topic: `certificate:HR-${'0'.repeat(32)}`, seq: 0 };
  expect(await refusal(nobody.live.since.query(unknown))).toMatchObject({
    appCode: 'TOPIC_FORBIDDEN',
  });

  const since = await client.live.since.query({ topic: `user:${student.id}`, seq: 0 });
  if (since.status !== 'events') throw new Error(since.status);
  const told = since.events.filter(({ event }) => event in certificateEventSchemas);
  expect(told.map(({ event }) => event)).toEqual(['certificate.issued', 'certificate.revoked']);
  for (const { event, data } of told) {
    const schema = certificateEventSchemas[event as keyof typeof certificateEventSchemas];
    expect(schema.safeParse(data).error).toBeUndefined();
  }
});
