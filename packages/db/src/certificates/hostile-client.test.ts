import { expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';

it('lets a visitor hear of the certificate whose number they have, and of nothing else', async () => {
  await using db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const ann = await db.a.student().enrolledIn(course);
  const issue = async (person: { id: string }) => {
    const [row] = await db.sql<{ id: string; serial: string }[]>`
      insert into certificates (user_id, course_id) values (${person.id}, ${course.id})
      returning id, serial_number as serial`;
    return row!;
  };
  const { id, serial } = await issue(ann);
  const topic = `certificate:${serial}`;
  const config = { private: true, broadcast: { self: true } };
  await using visitor = await supabaseClient(db, null);
  await using forger = await supabaseClient(db, null);

  const heard: string[] = [];
  await joined(
    visitor
      .channel(topic, { config })
      .on('broadcast', { event: '*' }, ({ event }) => heard.push(event)),
  );
  const channel = await joined(forger.channel(topic, { config }));
  await channel.send({ type: 'broadcast', event: 'forged', payload: { isValid: true } });
  await expect(channel.httpSend('forged', { isValid: true })).rejects.toThrow('Forbidden');
  await db.sql`
    update certificates set revoked_at = now(), revocation_reason = 'Another sat the exam'
    where id = ${id}`;
  await db.sql`
    select private.publish(${topic}, 'certificate.changed', '{}'::jsonb)`;
  await expect.poll(() => heard).toContain('certificate.changed');
  expect(heard).not.toContain('forged');

  // Beside it, too, only those with an account speak; the page doesn't listen there.
  const beside = await joined(forger.channel(`${topic}:live`, { config }));
  await expect(beside.httpSend('forged', {})).rejects.toThrow('Forbidden');
  for (const other of [
    `certificate:HR-${'0'.repeat(32)}`,
    `${topic}:staff`,
    `user:${ann.id}`,
    `course:${course.id}`,
    'school:workshops',
    'leaderboard:global',
  ]) {
    const wanted = forger.channel(other, { config: { private: true } });
    await expect(joined(wanted), other).rejects.toThrow('Unauthorized');
    const events = await visitor.rpc('live_since', { topic: other, after: 0 });
    expect(events.error?.message, other).toBe('TOPIC_FORBIDDEN');
  }
  expect((await visitor.from('certificates').select()).error?.code).toBe(FORBIDDEN);
  const restored = await visitor.from('certificates').update({ revoked_at: null }).eq('id', id);
  expect(restored.error?.code).toBe(FORBIDDEN);
  const revoked = await visitor.rpc('verify_certificate', { serial });
  expect(revoked.data).toMatchObject({ isValid: false });
  expect(JSON.stringify(revoked.data)).not.toContain(ann.id);
});
