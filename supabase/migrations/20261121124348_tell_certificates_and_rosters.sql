set check_function_bodies = off;

ALTER TABLE "lessons" DROP CONSTRAINT "lessons_link_by_https";

ALTER TABLE "thread_messages" ADD COLUMN "is_helpful" boolean DEFAULT false NOT NULL;

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_link_by_https" CHECK (video_url ~ '^(https://|/[^/\\])' and captions_url ~ '^(https://|/[^/\\])');

-- >>> achievements/helpful.sql
-- Which answers helped: a student's message that the staff has endorsed, or made its thread's answer,
-- while it stands. Kept in `thread_messages.is_helpful`, judged under the lock of the message's row, so
-- that whatever happens at once, each message counts once for its sender, and stops counting once.
create or replace function private.judge_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  new.is_helpful := new.deleted_at is null
    and new.sender_id is not null
    and (new.endorsed_by is not null or thread.answer_id is not distinct from new.id)
    and not private.is_course_staff(thread.course_id, new.sender_id);
  return new;
end;
$$;

create or replace trigger judge_helpful
before update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row execute function private.judge_helpful();

-- Counts it for its sender, with what that earns, in the same transaction.
create or replace function private.count_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.count_helpful_answers(new.sender_id, case when new.is_helpful then 1 else -1 end);
  return null;
end;
$$;

create or replace trigger count_helpful
after update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row
when (old.is_helpful <> new.is_helpful and new.sender_id is not null)
execute function private.count_helpful();

-- A thread has another answer, or none any more: both messages are judged again, one after the other
-- in the order of their ids.
create or replace function private.after_answer_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  message uuid;
begin
  for message in
    select id from unnest(array[old.answer_id, new.answer_id]) as id where id is not null order by id
  loop
    update public.thread_messages set is_helpful = is_helpful where id = message;
  end loop;
  return null;
end;
$$;

create or replace trigger after_answer_change
after update of answer_id on public.discussion_threads
for each row
when (old.answer_id is distinct from new.answer_id)
execute function private.after_answer_change();
-- <<< achievements/helpful.sql

-- >>> catalog/requirements.sql
-- The rules by which a course counts as done, for whoever changes them:
--
-- * What counts are the published, required lessons in published modules. Counts are compared, never
--   percentages. A course without any can't be finished; a module without any holds nobody up.
-- * Who hasn't finished is counted against the newest version, from the moment it is published.
--   A required lesson more, and the share goes down; nothing that was done is undone. One fewer
--   (removed, unpublished, made optional), and whoever has all the others finishes at that moment.
--   A lesson that moves keeps its completions.
-- * Who has finished, has finished: enrollment, certificate, points and version stay as they are.
-- * A module once done stays done.

-- The lessons that count.
create or replace function private.required_lessons(course uuid)
returns table (lesson_id uuid, module_id uuid)
language sql stable
as $$
  select lessons.id, lessons.module_id
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course
    and modules.is_published
    and lessons.is_published
    and lessons.is_required;
$$;

-- Holds a course as it is until the transaction ends: completions side by side with each other,
-- whoever changes what counts alone. In memory, so that a thousand students write to no common row.
create or replace function private.hold_course(course uuid, alone boolean) returns void
language plpgsql
as $$
declare
  key bigint := hashtextextended('course ' || course, 0);
begin
  if alone then
    perform pg_advisory_xact_lock(key);
  else
    perform pg_advisory_xact_lock_shared(key);
  end if;
end;
$$;

-- Counts every unfinished enrollment of a course anew, finishes those that have all there is, and
-- tells the students. For whatever changes which lessons count. Locks the course, its enrollments,
-- and the totals of those who finish, in the order of the students.
create or replace function private.reevaluate_course(course uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  student uuid;
  told jsonb;
begin
  perform private.hold_course(course, true);
  with done_modules as (
    insert into public.module_completions (user_id, module_id)
    select enrollments.user_id, required.module_id
    from public.enrollments
    join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.user_id, required.module_id
    having count(*) = count(done.lesson_id)
    on conflict do nothing
    returning user_id, module_id
  ), counted as (
    select enrollments.id, count(required.lesson_id) as required, count(done.lesson_id) as done
    from public.enrollments
    left join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.id
  ), changed as (
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    from counted
    where enrollments.id = counted.id
    returning enrollments.user_id
  )
  select jsonb_object_agg(changed.user_id, coalesce(news.module_ids, '[]'))
  into told
  from changed
  left join (
    select user_id, jsonb_agg(module_id) as module_ids from done_modules group by user_id
  ) as news on news.user_id = changed.user_id;

  for student in
    select user_id from public.enrollments
    where course_id = course and status = 'active' and progress = 100
    order by user_id
  loop
    perform private.tell_course_finished(
      student, course, private.finish_course(student, course) || private.earn_achievements(student)
    );
  end loop;
  perform private.tell_reevaluated(course, told);
end;
$$;

-- Tells students how far they are after a new count, and the staff that there was one: `students` has
-- the modules that each of them has done by it, by their ids.
create or replace function private.tell_reevaluated(course uuid, students jsonb) returns void
language sql
as $$
  select private.publish('course:' || course || ':staff', 'roster.reevaluated', '{}')
  where students is not null;
  select private.queue_live('homeroom.events', string_agg(
    jsonb_build_object(
      'topic', 'user:' || enrollment.user_id,
      'event', 'progress.reevaluated',
      'payload', jsonb_build_object('courseId', course, 'completedModuleIds', told.value)
        || private.progress_json(
          enrollment, courses.version, private.count_course(enrollment.user_id, course, null)
        )
    )::text,
    ','
  ))
  from jsonb_each(students) as told
  join public.enrollments as enrollment
    on enrollment.user_id = told.key::uuid and enrollment.course_id = course
  join public.courses on courses.id = course;
$$;

-- A lesson moved, or counts now, or doesn't any more, whoever changed the row. (`publish_course`
-- changes many, and calls for one count after the last: `homeroom.publishing`.)
create or replace function private.after_lesson_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct modules.course_id
    from (
      select id, module_id, is_published and is_required as counts from before
      except
      select id, module_id, is_published and is_required from after
      union
      (
        select id, module_id, is_published and is_required from after
        except
        select id, module_id, is_published and is_required from before
      )
    ) as changed
    join public.modules on modules.id = changed.module_id
    order by modules.course_id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_change
after update on public.lessons
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_lesson_change();

-- Lessons that came or went altogether, and modules that did.
create or replace function private.after_outline_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct courses.id
    from changed
    left join public.modules on modules.id::text = to_jsonb(changed) ->> 'module_id'
    join public.courses
      on courses.id = coalesce((to_jsonb(changed) ->> 'course_id')::uuid, modules.course_id)
    -- A lesson that didn't count changes nothing by coming or going.
    where coalesce((to_jsonb(changed) ->> 'is_required')::boolean, true)
      and (changed.is_published or tg_op = 'UPDATE')
    order by courses.id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_insert
after insert on public.lessons
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_lesson_delete
after delete on public.lessons
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_update
after update on public.modules
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_delete
after delete on public.modules
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();
-- <<< catalog/requirements.sql

-- >>> certificates/functions.sql
-- A certificate as its owner sees it, and as events tell it.
create or replace function private.certificate_json(certificate public.certificates) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', certificate.id,
    'courseId', certificate.course_id,
    'serialNumber', certificate.serial_number,
    'issuedAt', private.iso_time(certificate.issued_at),
    'revokedAt', private.iso_time(certificate.revoked_at),
    'revocationReason', certificate.revocation_reason
  );
$$;
grant execute on function private.certificate_json(public.certificates) to authenticated;

-- Says of a serial number whether we issued it, to whom and for what, and whether it still holds. For
-- everybody, also without an account: who has the number has been shown the certificate. `seq` is the
-- number of the newest event of its topic. Null for a number that isn't ours.
create or replace function public.verify_certificate(serial text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.certificate_json(certificate) - 'id' || jsonb_build_object(
    'isValid', certificate.revoked_at is null,
    'studentName', private.display_name(person.first_name, person.last_name),
    'courseTitle', course.title,
    'courseSlug', course.slug,
    'courseSummary', course.summary,
    'seq', coalesce((
      select seq from private.live_topics
      where topic = 'certificate:' || certificate.serial_number
    ), 0),
    'instructors', coalesce((
      select jsonb_agg(private.display_name(teacher.first_name, teacher.last_name) order by teacher.id)
      from public.course_instructors as teaching
      join public.users as teacher on teacher.id = teaching.user_id
      where teaching.course_id = course.id
    ), '[]')
  )
  from public.certificates as certificate
  join public.users as person on person.id = certificate.user_id
  join public.courses as course on course.id = certificate.course_id
  where certificate.serial_number = upper(trim(serial));
$$;
grant execute on function public.verify_certificate(text) to anon, authenticated;

-- Takes a certificate back, with a reason that everybody may read, and the points that it gave. For
-- the staff of its course. A second time changes nothing. Tells its owner.
create or replace function public.revoke_certificate(certificate_id uuid, reason text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  certificate public.certificates;
begin
  select * into certificate from public.certificates where id = certificate_id for no key update;
  if not found or not (
    private.is_service() or private.is_course_staff(certificate.course_id, auth.uid())
  ) then
    raise exception 'CERTIFICATE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if certificate.revoked_at is not null then
    return private.certificate_json(certificate);
  end if;
  update public.certificates
  set revoked_at = now(), revocation_reason = reason
  where id = certificate_id
  returning * into certificate;
  update public.learning_stats
  set certificates_earned = certificates_earned - 1
  where user_id = certificate.user_id;
  perform private.award_points(certificate.user_id, jsonb_build_array(jsonb_build_object(
    'course', certificate.course_id,
    'reason', 'certificate_revoked',
    'subject', certificate.id,
    'tenths', -500
  )));
  perform private.publish(
    'user:' || certificate.user_id,
    'certificate.revoked',
    jsonb_build_object('certificate', private.certificate_json(certificate))
  );
  return private.certificate_json(certificate);
end;
$$;
grant execute on function public.revoke_certificate(uuid, text) to authenticated, service_role;

-- Tells of a certificate that was issued or taken back, whoever wrote the row: the staff of its
-- course, and who looks at its public page. (Its owner hears of it from who wrote it.)
create or replace function private.tell_certificate() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('certificate', private.certificate_json(new));
begin
  perform private.publish(
    'course:' || new.course_id || ':staff',
    case when new.revoked_at is null then 'certificate.issued' else 'certificate.revoked' end,
    told || jsonb_build_object('userId', new.user_id)
  );
  if tg_op = 'UPDATE' then
    perform private.publish(
      'certificate:' || new.serial_number,
      'certificate.changed',
      jsonb_build_object('isValid', new.revoked_at is null)
        || jsonb_build_object('certificate', (told -> 'certificate') - 'id')
    );
  end if;
  return null;
end;
$$;

create or replace trigger tell_certificate_issued
after insert on public.certificates
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_certificate();

create or replace trigger tell_certificate_changed
after update of revoked_at, revocation_reason on public.certificates
for each row
when (
  (old.revoked_at, old.revocation_reason) is distinct from (new.revoked_at, new.revocation_reason)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_certificate();
-- <<< certificates/functions.sql

-- >>> live/epochs.sql
-- How losing a right ends a subscription. Realtime asks for rights at the join and not again until
-- the client's token changes, which a hostile client never does; and a hosted server can't be told
-- to throw anybody out. So a topic's events are sent on a channel whose name carries an *epoch*:
-- `course:<id>` at first, `course:<id>:e3` when three times somebody has lost the right to it. Who
-- takes a right away moves the topic in the same transaction: its events, from those of this
-- transaction on, go to a channel that only readers can join, and none before the move. Numbers go
-- on as if nothing had happened, so whoever moves late catches up. What clients send each other
-- (`:live`) moves with it.

-- The channel of a topic. (Without the cast it would be no immutable expression, and Postgres would
-- plan the function anew for each event.)
create or replace function private.channel_of(topic text, epoch bigint) returns text
language sql immutable
as $$
  select case when epoch = 0 then topic else topic || ':e' || epoch::text end;
$$;

-- Who may join a channel: the readers of its topic, while it is the topic's channel. An epoch is
-- written in one way only, so no second name leads to the same topic. `:live` is for whom its
-- topic is for. Evaluated in one snapshot: who sees the epoch sees the loss of right behind it.
create or replace function private.can_join_channel(channel text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  parts text[] := regexp_match(channel, '^(.+?)(?::e([1-9][0-9]{0,17}))?(?::live)?$');
  current_epoch bigint := (select epoch from private.live_topics where topic = parts[1]);
begin
  return coalesce(parts[2]::bigint, 0) = coalesce(current_epoch, 0)
    and private.can_read_topic(parts[1], person);
end;
$$;
grant execute on function private.can_join_channel(text, uuid) to anon, authenticated;

-- Who may broadcast and track: those who may join, and only on `…:live`. On a topic itself only
-- the database speaks.
create or replace function private.can_send_on_channel(channel text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select channel like '%:live' and private.can_join_channel(channel, person);
$$;
grant execute on function private.can_send_on_channel(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token. Who has no account reads what is
-- everybody's (a certificate's topic), and speaks nowhere.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to anon, authenticated
using (
  extension in ('broadcast', 'presence')
  and private.can_join_channel((select realtime.topic()), (select auth.uid()))
);

drop policy if exists "readers of a topic speak beside it, never on it" on realtime.messages;
create policy "readers of a topic speak beside it, never on it" on realtime.messages
for insert to authenticated
with check (
  extension in ('broadcast', 'presence')
  and private.can_send_on_channel((select realtime.topic()), (select auth.uid()))
);

-- The epoch of a topic's channel, for whoever may read the topic. To be asked before a join, and
-- when one was refused: TOPIC_FORBIDDEN then says that it will be refused again.
create or replace function public.live_epoch(topic text) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  return coalesce(
    (select epoch from private.live_topics where live_topics.topic = live_epoch.topic), 0
  );
end;
$$;
grant execute on function public.live_epoch(text) to anon, authenticated, service_role;

-- Moves topics to their next channels when this transaction commits, each once however often it is
-- asked for. `readers` is about how many are on each of them: those who stay spread their joins
-- over 20 ms a head, at most ten seconds, which is slower than what hosted servers take of all
-- clients together (100 joins a second, on bigger plans 500 to 2,500).
create or replace function private.move_topics(topics text[], readers bigint) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.moves', (
    select string_agg(
      jsonb_build_object('topic', topic, 'withinMs', least(readers * 20, 10000))::text, ','
    )
    from unnest(topics) as topic
  ));
end;
$$;

-- Tells those who are on the channels that topics have left where to go. It has no number, since
-- it is about the channel: who doesn't hear it sees the epoch in the next answer of `live_since`.
create or replace function private.tell_moves(moves jsonb, epochs jsonb) returns void
language plpgsql
as $$
begin
  with moved as (
    select
      gen_random_uuid() as id,
      value ->> 'topic' as topic,
      max((value ->> 'withinMs')::integer) as within_ms
    from jsonb_array_elements(moves)
    group by value ->> 'topic'
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, (epochs ->> topic)::bigint - 1),
    'broadcast',
    'topic.moved',
    jsonb_build_object('id', id, 'epoch', epochs -> topic, 'withinMs', within_ms),
    true
  from moved;
end;
$$;
-- <<< live/epochs.sql

-- >>> live/topics.sql
-- Who may read a topic. Used at join (by `can_join_channel`), by the policy on `live_topics`, and
-- by `live_since`. A few lookups by primary key.
create or replace function private.can_read_topic(topic text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  -- kind, subject, 'staff' if it is the staff's.
  parts text[] := regexp_match(
    topic,
    '^(user|course|thread|workshop|leaderboard|certificate):([A-Za-z0-9_-]{1,64})(?::(staff))?$'
  );
  for_staff boolean := parts[3] is not null;
  subject uuid;
begin
  -- For everybody, also without an account: who has the serial number has been shown the certificate.
  if parts[1] = 'certificate' then
    return not for_staff and exists (
      select 1 from public.certificates where serial_number = parts[2]
    );
  end if;
  if parts is null or not exists (
    select 1 from public.users where id = person and is_active
  ) then
    return false;
  end if;
  if parts[2] !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return parts[1] = 'leaderboard' and parts[2] in ('global', 'week') and not for_staff;
  end if;
  subject := parts[2]::uuid;
  case parts[1]
    when 'user' then
      return subject = person and not for_staff;
    when 'course' then
      if for_staff then
        return private.is_course_staff(subject, person);
      end if;
      return private.is_course_member(subject, person);
    when 'leaderboard' then
      return not for_staff and private.is_course_member(subject, person);
    when 'thread' then
      return not for_staff and exists (
        select 1 from public.discussion_threads
        where id = subject and private.is_course_member(course_id, person)
      );
    when 'workshop' then
      return exists (
        select 1 from public.workshops
        where id = subject and private.is_course_staff(course_id, person)
      ) or (not for_staff and exists (
        select 1 from public.workshop_registrations
        where workshop_id = subject and user_id = person and status <> 'cancelled'
      ));
  end case;
end;
$$;
grant execute on function private.can_read_topic(text, uuid) to authenticated;

grant select on private.live_topics to authenticated, service_role;

-- Heads are updated at every event: room on their page keeps that off the index.
alter table private.live_topics set (fillfactor = 50);

-- The number of a topic's newest event; 0 when there is none, or none for the caller. To be read
-- in one snapshot with the data: in one statement, or in a `repeatable read` transaction.
create or replace function private.live_cursor(topic text) returns bigint
language sql stable
as $$
  select coalesce((select seq from private.live_topics where live_topics.topic = live_cursor.topic), 0);
$$;
grant execute on function private.live_cursor(text) to authenticated, service_role;

-- Whether the session belongs to a service or an operator rather than to a user.
create or replace function private.is_service() returns boolean
language sql stable set search_path = ''
as $$
  select coalesce(nullif(current_setting('role', true), 'none'), session_user)
    in ('postgres', 'service_role', 'supabase_admin');
$$;

-- The events of a topic after a number, oldest first, at most 500: `{ status: 'events', events,
-- head, epoch }`. `{ status: 'too-old', head, epoch }` when some of them are beyond retention, or
-- when the number is none of ours: then only a new snapshot helps. `epoch` is that of the topic's
-- channel (epochs.sql). Callable by whoever may read the topic.
create or replace function public.live_since(topic text, after bigint, max integer default 500)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  head bigint;
  epoch bigint;
  events jsonb;
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  select heads.seq, heads.epoch into head, epoch
  from private.live_topics as heads
  where heads.topic = live_since.topic;
  head := coalesce(head, 0);
  epoch := coalesce(epoch, 0);
  if after = head then
    return jsonb_build_object(
      'status', 'events', 'events', '[]'::jsonb, 'head', head, 'epoch', epoch
    );
  end if;
  select jsonb_agg(
    jsonb_build_object('seq', seq, 'event', event, 'at', private.epoch_ms(created_at), 'data', payload)
    order by seq
  )
  into events
  from (
    select * from private.live_events as stored
    where stored.topic = live_since.topic and stored.seq > live_since.after
    order by stored.seq
    limit least(greatest(live_since.max, 1), 500)
  ) as page;
  if events is null or (events -> 0 ->> 'seq')::bigint is distinct from after + 1 then
    return jsonb_build_object('status', 'too-old', 'head', head, 'epoch', epoch);
  end if;
  return jsonb_build_object('status', 'events', 'events', events, 'head', head, 'epoch', epoch);
end;
$$;
grant execute on function public.live_since(text, bigint, integer)
to anon, authenticated, service_role;
-- <<< live/topics.sql

-- >>> progress/course_page.sql
-- How far the caller is in a course, and in each lesson that they have done or tried. Raises
-- ENROLLMENT_REQUIRED. One statement, so that it is of one moment with the topic's number beside it.
create or replace function public.course_progress(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  student uuid := auth.uid();
  progress jsonb;
begin
  select
    private.progress_json(
      enrollment, course.version, private.count_course(student, course.id, null)
    ) || jsonb_build_object(
      'courseId', course.id,
      'enrolledAt', private.iso_time(enrollment.enrolled_at),
      'lessons', private.lesson_states(student, course.id),
      'completedModuleIds', coalesce((
        select jsonb_agg(module.id order by module.id)
        from public.modules as module
        join public.module_completions as done
          on done.module_id = module.id and done.user_id = student
        where module.course_id = course.id
      ), '[]'),
      'certificate', (
        select private.certificate_json(certificate)
        from public.certificates as certificate
        where certificate.user_id = student and certificate.course_id = course.id
      )
    )
  into progress
  from public.enrollments as enrollment
  join public.courses as course on course.id = enrollment.course_id
  where enrollment.user_id = student
    and enrollment.course_id = course_progress.course_id
    and enrollment.status <> 'cancelled';
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return progress;
end;
$$;
grant execute on function public.course_progress(uuid) to authenticated;

-- A student's state in each lesson of a course that they have done or tried: all that events tell.
create or replace function private.lesson_states(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'lessonId', lesson.id,
        'completedAt', private.iso_time(done.completed_at),
        'attempts', coalesce(progress.attempts, 0),
        'bestScore', progress.best_score
      )
      order by lesson.id
    ),
    '[]'
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  left join public.lesson_completions as done
    on done.lesson_id = lesson.id and done.user_id = student
  left join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course
    and (done.lesson_id is not null or progress.attempts > 0);
$$;

-- The students of a course, the newest enrollment first, after a place in that order (null: from the
-- first). For its staff; raises COURSE_NOT_FOUND for others.
create or replace function public.course_roster(
  course_id uuid,
  before timestamptz,
  before_id uuid,
  most integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.check_author(course_roster.course_id);
  return (
    select coalesce(
      jsonb_agg(private.roster_row(page) order by page.enrolled_at desc, page.id desc), '[]'
    )
    from (
      select *
      from public.enrollments as enrollment
      where enrollment.course_id = course_roster.course_id
        and enrollment.status <> 'cancelled'
        and (
          course_roster.before is null
          or (enrollment.enrolled_at, enrollment.id) < (course_roster.before, course_roster.before_id)
        )
      order by enrollment.enrolled_at desc, enrollment.id desc
      limit most
    ) as page
  );
end;
$$;
grant execute on function public.course_roster(uuid, timestamptz, uuid, integer) to authenticated;

-- A student in the roster of a course.
create or replace function private.roster_row(enrollment public.enrollments) returns jsonb
language sql stable
as $$
  select private.progress_json(
    enrollment, null, private.count_course(enrollment.user_id, enrollment.course_id, null)
  ) || jsonb_build_object(
    'enrollmentId', enrollment.id,
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'certificate', (
      select private.certificate_json(certificate)
      from public.certificates as certificate
      where certificate.user_id = enrollment.user_id
        and certificate.course_id = enrollment.course_id
    )
  ) || private.roster_scores(enrollment.user_id, enrollment.course_id) || (
    select jsonb_build_object(
      'lastActiveAt', private.iso_time(max(done.completed_at)),
      'timeSpentSeconds', coalesce(sum(progress.time_spent_seconds), 0)
    )
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = enrollment.user_id
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = enrollment.user_id
    where module.course_id = enrollment.course_id
  )
  from public.users as person
  where person.id = enrollment.user_id;
$$;
-- <<< progress/course_page.sql

-- >>> progress/roster.sql
-- How well a student does in the quizzes of a course: what the roster shows, and its event tells.
create or replace function private.roster_scores(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'averageScore', round(avg(progress.best_score), 2),
    'quizzes', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'lessonId', lesson.id,
          'title', lesson.title,
          'bestScore', progress.best_score,
          'attempts', progress.attempts
        )
        order by module.position, lesson.position
      ),
      '[]'
    )
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course and progress.best_score is not null;
$$;

-- A quiz was scored: the staff's roster shows how the student does now.
create or replace function private.tell_roster_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid := (
    select modules.course_id
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where lessons.id = new.lesson_id
  );
begin
  perform private.publish(
    'course:' || course || ':staff',
    'scores.changed',
    jsonb_build_object('userId', new.user_id) || private.roster_scores(new.user_id, course)
  );
  return null;
end;
$$;

create or replace trigger tell_roster_scores
after update of attempts on public.lesson_progress
for each row
when (
  old.attempts <> new.attempts
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_scores();

-- Somebody is no longer, or again, among the students of a course. (Of a new enrollment the feed
-- tells.)
create or replace function private.tell_roster_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || old.course_id || ':staff',
    'enrollment.changed',
    jsonb_build_object(
      'userId', old.user_id,
      'isEnrolled', tg_op = 'UPDATE' and new.status <> 'cancelled'
    )
  );
  return null;
end;
$$;

create or replace trigger tell_roster_cancelled
after update of status on public.enrollments
for each row
when (
  (old.status = 'cancelled') <> (new.status = 'cancelled')
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();

create or replace trigger tell_roster_deleted
after delete on public.enrollments
for each row
when (
  old.status <> 'cancelled'
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();
-- <<< progress/roster.sql
