import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

it('over REST, nobody reads a draft, forges an announcement, or writes to another’s course', async () => {
  await using db = await testDatabase();
  const instructor = await db.a.instructor();
  const course = await db.a.course().taughtBy(instructor);
  const student = await db.a.student().enrolledIn(course);
  const id = randomUUID();
  await db.as(
    instructor,
    (tx) => tx`select save_announcement(${id}, 'Draft', 'Not yet', array[${course.id}::uuid])`,
  );
  await using eve = await supabaseClient(db, student);
  for (const table of ['announcements', 'course_stats', 'course_activity_hours']) {
    expect((await eve.from(table).select()).data, table).toEqual([]);
    expect((await eve.from(table).delete().not('updated_at', 'is', null)).error?.code).toBeTruthy();
  }
  const forged = { id: randomUUID(), title: 'Forged', content: 'Text', status: 'draft' };
  expect((await eve.from('announcements').insert(forged)).error?.code).toBe('42501');
  const call = { id: forged.id, title: 'Forged', content: 'Text', course_ids: [course.id] };
  expect((await eve.rpc('save_announcement', call)).error?.message).toContain('COURSE_NOT_FOUND');
  const sent = await eve.rpc('send_announcement', { id });
  expect(sent.error?.message).toContain('ANNOUNCEMENT_NOT_FOUND');
  expect((await eve.rpc('remove_announcement', { id })).data).toBe(false);
  expect((await eve.rpc('announcement_reads', { announcement_ids: [id] })).data).toEqual([]);
});
