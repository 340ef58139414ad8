import { pino } from 'pino';
import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom, type Person } from '../testing/classroom.ts';
import { createDigestSender } from './digest-sender.ts';
import { createMailer } from './mailer.ts';

const DAILY = { frequency: 'daily', weekday: 1, hour: 8 } as const;
const PORTALS = { student: 'https://learn.test', instructor: 'https://teach.test' };

it('has no quiet hours and no digest until they are wanted, and says when the next comes', async () => {
  await using room = await classroom();
  const ann = await room.as(await room.db.a.student());
  expect(await ann.delivery.get.query()).toEqual({
    timeZone: 'UTC',
    quietHours: { isOn: false, from: '22:00', to: '07:00', days: [1, 2, 3, 4, 5, 6, 7] },
    digest: { ...DAILY, frequency: 'off' },
    nextDigestAt: null,
    sendsMail: false,
  });
  expect(await ann.identity.me.query()).toMatchObject({ quietHours: null });

  const daily = await ann.delivery.set.mutate({ digest: DAILY });
  expect(daily.nextDigestAt?.slice(11, 19)).toBe('08:00:00');
  const quiet = { isOn: true, from: '23:30', to: '09:15', days: [1, 2, 3, 4, 5, 6, 7] };
  const both = await ann.delivery.set.mutate({ quietHours: quiet });
  expect(both).toMatchObject({ quietHours: quiet, digest: DAILY });
  expect(both.nextDigestAt?.slice(11, 19)).toBe('09:15:00');
  expect(await ann.identity.me.query()).toMatchObject({
    quietHours: { from: '23:30', to: '09:15', days: quiet.days },
  });
});

it('names the field that is not valid, and shows nobody nothing', async () => {
  await using room = await classroom();
  const ann = await room.as(await room.db.a.student());
  const quiet = { isOn: true, from: '22:00', to: '07:00' };
  const bad = [
    { input: { quietHours: { ...quiet, from: '24:00' } }, field: 'quietHours.from' },
    { input: { quietHours: { ...quiet, to: '22:00' } }, field: 'quietHours.to' },
    { input: { quietHours: { ...quiet, days: [] } }, field: 'quietHours.days' },
    { input: { quietHours: { ...quiet, days: [0] } }, field: 'quietHours.days.0' },
    { input: { digest: { ...DAILY, hour: 24 } }, field: 'digest.hour' },
    { input: { digest: { ...DAILY, weekday: 0 } }, field: 'digest.weekday' },
    { input: { digest: { ...DAILY, frequency: 'hourly' as never } }, field: 'digest.frequency' },
    { input: {}, field: '' },
  ];
  for (const { input, field } of bad) {
    const refused = await refusal(ann.delivery.set.mutate(input));
    expect(refused).toMatchObject({ httpStatus: 400, fields: [{ field }] });
  }
  const nobody = await room.as(null);
  expect(await refusal(nobody.delivery.get.query())).toMatchObject({ httpStatus: 401 });
  const set = nobody.delivery.set.mutate({ digest: DAILY });
  expect(await refusal(set)).toMatchObject({ httpStatus: 401 });
});

/** A student with a digest that is due, and what it will tell. */
async function dueDigest(room: Classroom): Promise<Person> {
  const ann = await room.db.a.student({ firstName: 'Ann' });
  await (await room.as(ann)).delivery.set.mutate({ digest: DAILY });
  await room.notify(ann, { type: 'announcement', minutesAgo: 5 });
  await room.db.sql`
    update notification_settings
    set digest_due_at = now(), digest_since = now() - interval '1 day' where user_id = ${ann.id}`;
  await room.db.sql`select private.make_digests()`;
  return ann;
}

it('sends a digest once from several processes, whose link turns it off', async () => {
  await using room = await classroom();
  const ann = await dueDigest(room);
  const { smtpUrl, mailUrl } = await room.db.gateway();
  const senders = [1, 2, 3].map(() => {
    const mailer = createMailer({ ...settings, smtpUrl, mailFrom: 'Homeroom <post@school.test>' });
    return createDigestSender(room.api.db, mailer!, PORTALS, pino({ level: 'silent' }));
  });
  const sent = await Promise.all(senders.map((sender) => sender.send()));
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(await senders[0]?.send()).toBe(0);

  const response = await fetch(`${mailUrl}/api/messages?to=${ann.email}`);
  const mails = (await response.json()) as { subject: string; text: string }[];
  expect(mails).toMatchObject([{ subject: '1 notification on Homeroom, today' }]);
  expect(mails[0]?.text).toContain('About announcement');

  const key = /https:\/\/learn\.test\/digest\/(\S+)/.exec(mails[0]?.text ?? '')?.[1] ?? '';
  const nobody = (await room.as(null)).delivery;
  expect(await nobody.stopDigest.mutate({ key })).toEqual({ stopped: true });
  const after = await (await room.as(ann)).delivery.get.query();
  expect(after.digest.frequency).toBe('off');
  expect(await nobody.stopDigest.mutate({ key: crypto.randomUUID() })).toEqual({ stopped: false });
  expect(await refusal(nobody.stopDigest.mutate({ key: 'no key' }))).toMatchObject({
    fields: [{ field: 'key' }],
  });
});

it('tries again later when the mail server does not take it', async () => {
  await using room = await classroom();
  await dueDigest(room);
  let isDown = true;
  const taken: string[] = [];
  const sender = createDigestSender(
    room.api.db,
    ({ id }) => {
      taken.push(id);
      return isDown ? Promise.reject(new Error('Connection refused')) : Promise.resolve();
    },
    PORTALS,
    pino({ level: 'silent' }),
  );
  expect(await sender.send()).toBe(0);
  expect(await sender.send()).toBe(0);
  isDown = false;
  await room.db.sql`update private.notification_digests set retry_at = now()`;
  expect(await sender.send()).toBe(1);
  // Under the same id, so that one who got it twice sees it once.
  expect(new Set(taken).size).toBe(1);
  expect(taken).toHaveLength(2);
});

const settings = {
  supabaseUrl: 'http://127.0.0.1:9',
  publishableKey: 'sb_publishable_test',
  databaseUrl: 'postgres://127.0.0.1:9/none',
};
