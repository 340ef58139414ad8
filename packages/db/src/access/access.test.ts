import { describe, expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';

describe('every table', () => {
  it('is under row level security and gives away no more than it must', async () => {
    await using db = await testDatabase();
    const tables = await db.sql<{ name: string; secured: boolean }[]>`
      select format('%I.%I', nspname, relname) as name, relrowsecurity as secured
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind = 'r' and nspname in ('public', 'private')`;
    expect(tables.length).toBeGreaterThan(24);
    expect(tables.filter(({ secured }) => !secured)).toEqual([]);

    const grants = await db.sql<{ grantee: string; what: string }[]>`
      select grantee, privilege_type || ' on ' || table_schema || '.' || table_name as what
      from information_schema.table_privileges
      where table_schema in ('public', 'private')
        and grantee in ('PUBLIC', 'anon', 'authenticated', 'service_role')`;
    expect(grants.filter(({ grantee }) => ['PUBLIC', 'anon'].includes(grantee))).toEqual([]);
    expect(grants.filter(({ what }) => /^(TRUNCATE|REFERENCES|TRIGGER)/.test(what))).toEqual([]);
    const changes = grants.filter(
      ({ grantee, what }) => grantee === 'authenticated' && !what.startsWith('SELECT'),
    );
    expect(changes.map(({ what }) => what).sort()).toEqual([
      'DELETE on public.course_reviews',
      'DELETE on public.message_blocks',
      'DELETE on public.notification_preferences',
      'DELETE on public.notifications',
      'DELETE on public.thread_message_reactions',
    ]);
  });

  it('lets users write only the columns that are theirs', async () => {
    await using db = await testDatabase();
    const columns = await db.sql<{ what: string }[]>`
      select lower(privilege_type) || ' ' || table_name || '.' || column_name as what
      from information_schema.column_privileges
      where grantee in ('authenticated', 'anon', 'PUBLIC') and table_schema = 'public'
        and privilege_type in ('INSERT', 'UPDATE')`;
    expect(columns.map(({ what }) => what).sort()).toEqual([
      'insert course_message_settings.course_id',
      'insert course_message_settings.students_may_write',
      'insert course_reviews.comment',
      'insert course_reviews.course_id',
      'insert course_reviews.rating',
      'insert course_reviews.user_id',
      'insert discussion_threads.course_id',
      'insert discussion_threads.created_by',
      'insert discussion_threads.id',
      'insert discussion_threads.lesson_id',
      'insert discussion_threads.title',
      'insert enrollments.course_id',
      'insert enrollments.user_id',
      'insert message_blocks.blocked_id',
      'insert message_blocks.blocker_id',
      'insert message_settings.sends_receipts',
      'insert message_settings.shows_typing',
      'insert message_settings.user_id',
      'insert messages.content',
      'insert messages.id',
      'insert messages.recipient_id',
      'insert messages.sender_id',
      'insert notification_preferences.channel',
      'insert notification_preferences.course_id',
      'insert notification_preferences.enabled',
      'insert notification_preferences.type',
      'insert notification_preferences.user_id',
      'insert notification_settings.digest',
      'insert notification_settings.digest_hour',
      'insert notification_settings.digest_weekday',
      'insert notification_settings.has_quiet_hours',
      'insert notification_settings.quiet_days',
      'insert notification_settings.quiet_from',
      'insert notification_settings.quiet_to',
      'insert notification_settings.user_id',
      'insert presence_settings.is_invisible',
      'insert presence_settings.user_id',
      'insert thread_message_reactions.emoji',
      'insert thread_message_reactions.message_id',
      'insert thread_message_reactions.user_id',
      'insert thread_messages.content',
      'insert thread_messages.id',
      'insert thread_messages.parent_id',
      'insert thread_messages.sender_id',
      'insert thread_messages.thread_id',
      'insert workshops.capacity',
      'insert workshops.check_in_opens_minutes',
      'insert workshops.course_id',
      'insert workshops.created_by',
      'insert workshops.description',
      'insert workshops.ends_at',
      'insert workshops.is_open',
      'insert workshops.late_after_minutes',
      'insert workshops.location',
      'insert workshops.meeting_url',
      'insert workshops.starts_at',
      'insert workshops.time_zone',
      'insert workshops.title',
      'update course_message_settings.students_may_write',
      'update course_reviews.comment',
      'update course_reviews.rating',
      'update discussion_threads.answer_id',
      'update discussion_threads.is_active',
      'update discussion_threads.is_locked',
      'update discussion_threads.is_pinned',
      'update discussion_threads.slow_mode_seconds',
      'update discussion_threads.title',
      'update message_settings.sends_receipts',
      'update message_settings.shows_typing',
      'update notification_preferences.enabled',
      'update notification_settings.digest',
      'update notification_settings.digest_hour',
      'update notification_settings.digest_weekday',
      'update notification_settings.has_quiet_hours',
      'update notification_settings.quiet_days',
      'update notification_settings.quiet_from',
      'update notification_settings.quiet_to',
      'update notifications.archived_at',
      'update notifications.read_at',
      'update notifications.snoozed_until',
      'update presence_settings.is_invisible',
      'update thread_messages.content',
      'update users.avatar_url',
      'update users.first_name',
      'update users.last_name',
      'update users.time_zone',
      'update workshops.capacity',
      'update workshops.check_in_opens_minutes',
      'update workshops.description',
      'update workshops.ends_at',
      'update workshops.is_open',
      'update workshops.late_after_minutes',
      'update workshops.location',
      'update workshops.meeting_url',
      'update workshops.starts_at',
      'update workshops.status',
      'update workshops.time_zone',
      'update workshops.title',
    ]);
  });

  it('has policies for authenticated users only', async () => {
    await using db = await testDatabase();
    const others = await db.sql`
      select tablename, policyname, roles from pg_policies
      where schemaname in ('public', 'private') and roles <> '{authenticated}'`;
    expect([...others]).toEqual([]);
  });
});

describe('every function', () => {
  it('is callable by those who need it only, and finds its names itself when it is powerful', async () => {
    await using db = await testDatabase();
    const callable = await db.sql<{ name: string }[]>`
      select proname as name
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where nspname in ('public', 'private') and (
        has_function_privilege('authenticated', pg_proc.oid, 'execute')
        or has_function_privilege('anon', pg_proc.oid, 'execute')
      )`;
    expect(callable.map(({ name }) => name).sort()).toEqual([
      'announcement_reads',
      'attendance_export',
      'calendar_feed',
      'calendar_token',
      'can_join_channel',
      'can_message',
      'can_read_topic',
      'can_send_on_channel',
      'cancel_registration',
      'certificate_json',
      'check_in_by_code',
      'check_in_by_hand',
      'complete_lesson',
      'contacts_of',
      'conversation_json',
      'course_content',
      'course_page',
      'course_progress',
      'course_roster',
      'course_stats_live',
      'course_workbench',
      'create_course',
      'create_lesson',
      'create_service_key',
      'current_workshop_code',
      'delete_thread_message',
      'direct_message_json',
      'display_name',
      'endorse_thread_message',
      'find_course_people',
      'find_people_to_message',
      'follow_leaderboard',
      'follow_thread',
      'is_admin',
      'is_wanted_by_default',
      'iso_time',
      'joined_course_ids',
      'keep_presence',
      'leaderboard_standing',
      'leaderboard_top',
      'lesson_page',
      'lesson_workbench',
      'live_cursor',
      'live_epoch',
      'live_since',
      'mark_conversation',
      'mark_notifications_read',
      'mark_thread_read',
      'mark_thread_unread',
      'meeting_url',
      'message_report_json',
      'notification_json',
      'own_calendar_event',
      'own_notification_settings',
      'person_json',
      'presence_of',
      'publish_course',
      'published_courses',
      'queue_depths',
      'register_for_workshop',
      'registration_json',
      'remove_announcement',
      'remove_calendar_token',
      'renew_calendar_token',
      'reply_to_review',
      'report_message',
      'report_thread_message',
      'report_time',
      'resolve_message_reports',
      'resolve_thread_reports',
      'revoke_certificate',
      'revoke_service_key',
      'save_announcement',
      'save_course_draft',
      'save_lesson_draft',
      'save_outline',
      'search_thread_messages',
      'seconds_present',
      'send_announcement',
      'set_course_archived',
      'set_leaderboard_hidden',
      'settled_seq',
      'stop_digest',
      'submit_quiz',
      'taught_course_ids',
      'tell_typing',
      'thread_json',
      'thread_message_json',
      'thread_message_surroundings',
      'thread_reader_json',
      'thread_report_json',
      'undo_check_in',
      'verify_certificate',
      'watch_monitoring',
      'workshop_counts',
      'workshop_json_of',
    ]);
    const anonymous = await db.sql`
      select proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where nspname in ('public', 'private')
        and has_function_privilege('anon', pg_proc.oid, 'execute')`;
    // The catalogue is a shop window; who has a certificate's number has been shown it, and may
    // follow it; a calendar's address is its key, and so is the one in a digest that turns it off.
    expect(anonymous.map(({ proname }) => proname as string).sort()).toEqual([
      'calendar_feed',
      'can_join_channel',
      'course_page',
      'live_epoch',
      'live_since',
      'published_courses',
      'stop_digest',
      'verify_certificate',
    ]);
    const loose = await db.sql`
      select proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where nspname in ('public', 'private') and prosecdef
        and not coalesce('search_path=""' = any(proconfig), false)`;
    expect([...loose]).toEqual([]);
  });
});

describe('a hostile user', () => {
  it('can neither read nor change nor forge the notifications of another', async () => {
    await using db = await testDatabase();
    const [victim, attacker] = [await db.a.student(), await db.a.student()];
    await db.sql`select create_notification(${victim.id}, 'system', 'Secret', 'Text')`;
    const attempts = db.as(attacker, async (tx) => ({
      seen: (await tx`select id from notifications`).length,
      changed: (await tx`update notifications set read_at = now()`).count,
      removed: (await tx`delete from notifications`).count,
    }));
    expect(await attempts).toEqual({ seen: 0, changed: 0, removed: 0 });
    for (const attack of [
      `insert into notifications (user_id, type, title, message)
       values ('${victim.id}', 'system', 'Forged', 'Text')`,
      `select create_notification('${victim.id}', 'system', 'Forged', 'Text')`,
      `select cleanup_old_notifications()`,
      `select private.publish('user:${victim.id}', 'notification.created', '{}')`,
      `select private.notify('[]')`,
      `insert into private.live_events values ('user:${victim.id}', 9, 'forged', '{}', now())`,
      `select * from private.live_events`,
      `update private.live_topics set seq = 99`,
      `truncate notifications`,
    ]) {
      await expect(
        db.as(attacker, (tx) => tx.unsafe(attack)),
        attack,
      ).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('cannot rewrite what they were told', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await db.sql`select create_notification(${user.id}, 'system', 'Told', 'Text')`;
    for (const column of ['title', 'message', 'type', 'level', 'created_at', 'user_id', 'count']) {
      await expect(
        db.as(user, (tx) => tx.unsafe(`update notifications set ${column} = ${column}`)),
        column,
      ).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('cannot raise their role, at sign-up or later', async () => {
    await using db = await testDatabase();
    const id = crypto.randomUUID();
    await db.sql`
      insert into auth.users (id, email, raw_user_meta_data)
      values (${id}, 'eve@example.test', '{"role": "admin", "first_name": "Eve"}')`;
    const [eve] = await db.sql`select role, first_name from users where id = ${id}`;
    expect(eve).toEqual({ role: 'student', first_name: 'Eve' });
    for (const column of ['role', 'email', 'is_active', 'id']) {
      await expect(
        db.as({ id }, (tx) => tx.unsafe(`update users set ${column} = ${column}`)),
        column,
      ).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('enrolls nobody else, in no draft, for no fee unpaid, with no progress made up', async () => {
    await using db = await testDatabase();
    const [eve, other] = [await db.a.student(), await db.a.student()];
    const course = await db.a.course();
    const draft = await db.a.course({ status: 'draft' });
    const paid = await db.a.course({ priceCents: 100 });
    const enroll = (user: { id: string }, target: { id: string }) =>
      db.as(
        eve,
        (tx) => tx`insert into enrollments (user_id, course_id) values (${user.id}, ${target.id})`,
      );
    await expect(enroll(other, course)).rejects.toThrow(/row-level security/);
    await expect(enroll(eve, draft)).rejects.toThrow(/row-level security/);
    await expect(enroll(eve, paid)).rejects.toThrow(/row-level security/);
    await expect(
      db.as(
        eve,
        (tx) => tx`
          insert into enrollments (user_id, course_id, progress)
          values (${eve.id}, ${course.id}, 100)`,
      ),
    ).rejects.toMatchObject({ code: '42501' });
    await enroll(eve, course);
    await expect(enroll(eve, course)).rejects.toThrow('enrollments_once_per_student');
  });

  it('writes no messages as someone else, and reads no discussion of another course', async () => {
    await using db = await testDatabase();
    const [eve, member] = [await db.a.student(), await db.a.student()];
    const course = await db.a.course();
    const [thread] = await db.sql<{ id: string }[]>`
      insert into discussion_threads (course_id, title, created_by)
      values (${course.id}, 'Private', ${member.id}) returning id`;
    await db.sql`
      insert into thread_messages (thread_id, sender_id, content)
      values (${thread!.id}, ${member.id}, 'Hello')`;
    const seen = await db.as(eve, async (tx) => [
      (await tx`select id from discussion_threads`).length,
      (await tx`select id from thread_messages`).length,
    ]);
    expect(seen).toEqual([0, 0]);
    for (const attack of [
      `insert into thread_messages (thread_id, sender_id, content) values ('${thread!.id}', '${member.id}', 'x')`,
      `insert into messages (sender_id, recipient_id, content) values ('${member.id}', '${eve.id}', 'x')`,
      `insert into discussion_threads (course_id, title, created_by) values ('${course.id}', 'x', '${member.id}')`,
    ]) {
      await expect(
        db.as(eve, (tx) => tx.unsafe(attack)),
        attack,
      ).rejects.toMatchObject({ code: '42501' });
    }
    await expect(db.as(null, (tx) => tx`select id from thread_messages`)).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('people', () => {
  it('see names of those who share a course with them, and nobody’s address', async () => {
    await using db = await testDatabase();
    const instructor = await db.a.instructor();
    const course = await db.a.course().taughtBy(instructor);
    const student = await db.a.student().enrolledIn(course);
    const classmate = await db.a.student().enrolledIn(course);
    const stranger = await db.a.student();
    const visible = (user: { id: string }) =>
      db.as(user, async (tx) => {
        const rows = await tx<{ id: string }[]>`select id from profiles`;
        return rows.map(({ id }) => id).sort();
      });
    const ids = (...people: { id: string }[]) => people.map(({ id }) => id).sort();
    expect(await visible(student)).toEqual(ids(instructor, student, classmate));
    expect(await visible(stranger)).toEqual(ids(instructor, stranger));
    const addresses = await db.as(student, (tx) => tx`select email from users`);
    expect([...addresses]).toEqual([{ email: student.email }]);
    await expect(db.as(student, (tx) => tx`select email from profiles`)).rejects.toThrow('email');
    await expect(db.as(null, (tx) => tx`select id from profiles`)).rejects.toThrow('permission');
  });

  it('change their profile, with a time zone that exists', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await db.as(user, (tx) => tx`update users set first_name = 'Zoë', time_zone = 'Asia/Tokyo'`);
    await expect(
      db.as(user, (tx) => tx`update users set time_zone = 'Mars/Olympus'`),
    ).rejects.toThrow('Mars/Olympus');
  });
});
