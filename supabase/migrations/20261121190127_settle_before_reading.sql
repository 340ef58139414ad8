set check_function_bodies = off;

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
    'seq', private.live_cursor('certificate:' || certificate.serial_number),
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

-- >>> live/settled.sql
-- A commit is heard of before it can be read: Realtime reads it from the log, which is written a
-- moment before other transactions see it; on a busy machine that moment is long enough for
-- somebody to join the topic and to load a snapshot. Without more, that person would lack an event
-- which they will never hear, and not know until the next one shows the gap. So who reads a head
-- looks whether somebody is writing the next one, waits for the writer, and reads again.

-- How long a reader waits for a writer: 100 times 5 ms. One that takes longer (an announcement to a
-- hundred thousand) hasn't come to its commit yet, so its event is still to be heard.

-- `seq`, unless its `writer` (the `xmax` of the head that the caller's snapshot sees) has committed:
-- then SETTLE_AND_REPEAT, because the same in a new snapshot is complete. Only where
-- `homeroom.settle` is on, by those who repeat.
create or replace function private.settled_seq(seq bigint, writer xid) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  next_id bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  -- With its epoch: of all ids that end like it, the one nearest to the snapshot's.
  writer_id xid8 := (
    next_id - 2147483648
    + (writer::text::bigint - next_id % 4294967296 + 6442450944) % 4294967296
  )::text::xid8;
begin
  if current_setting('homeroom.settle', true) is distinct from 'on' then
    return seq;
  end if;
  for attempt in 1..100 loop
    case pg_xact_status(writer_id)
      when 'in progress' then
        perform pg_sleep(0.005);
      when 'committed' then
        raise exception 'SETTLE_AND_REPEAT' using errcode = '40001';
      else
        return seq;
    end case;
  end loop;
  return seq;
end;
$$;
grant execute on function private.settled_seq(bigint, xid) to authenticated, service_role;

-- Whether somebody is writing can be seen of a head that there is, so each topic has one from the
-- moment on that there is what it is about.
create or replace function private.begin_topics() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  subject text;
begin
  if tg_table_name = 'certificates' then
    subject := new.serial_number;
  else
    subject := new.id;
  end if;
  for argument in 0..tg_nargs - 1 loop
    insert into private.live_topics (topic, seq)
    values (format(tg_argv[argument], subject), 0)
    on conflict do nothing;
  end loop;
  return null;
end;
$$;

create or replace trigger begin_topics after insert on public.users
for each row execute function private.begin_topics('user:%s');

create or replace trigger begin_topics after insert on public.courses
for each row execute function private.begin_topics('course:%s', 'course:%s:staff', 'leaderboard:%s');

create or replace trigger begin_topics after insert on public.discussion_threads
for each row execute function private.begin_topics('thread:%s');

create or replace trigger begin_topics after insert on public.workshops
for each row execute function private.begin_topics('workshop:%s', 'workshop:%s:staff');

create or replace trigger begin_topics after insert on public.certificates
for each row execute function private.begin_topics('certificate:%s');

insert into private.live_topics (topic, seq)
select 'user:' || id, 0 from public.users
union all
select format(name, id), 0
from public.courses, unnest(array['course:%s', 'course:%s:staff', 'leaderboard:%s']) as name
union all
select 'thread:' || id, 0 from public.discussion_threads
union all
select format(name, id), 0
from public.workshops, unnest(array['workshop:%s', 'workshop:%s:staff']) as name
union all
select 'certificate:' || serial_number, 0 from public.certificates
union all
select unnest(array['leaderboard:global', 'leaderboard:week', 'school:workshops']), 0
on conflict do nothing;
-- <<< live/settled.sql

-- >>> live/topics.sql
-- Who may read a topic. Used at join (by `can_join_channel`), by the policy on `live_topics`, and
-- by `live_since`. A few lookups by primary key. (The name is taken apart by its colons: one regular
-- expression for all of it, with a bounded repetition inside, cost half a millisecond a call.)
create or replace function private.can_read_topic(topic text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  -- kind, subject, 'staff' if it is the staff's.
  parts text[] := string_to_array(topic, ':');
  for_staff boolean := cardinality(parts) = 3 and parts[3] = 'staff';
  subject uuid;
begin
  if (cardinality(parts) = 2 or for_staff) is not true then
    return false;
  end if;
  -- For everybody, also without an account: who has the serial number has been shown the certificate.
  if parts[1] = 'certificate' then
    return not for_staff and exists (
      select 1 from public.certificates where serial_number = parts[2]
    );
  end if;
  if not exists (select 1 from public.users where id = person and is_active) then
    return false;
  end if;
  if parts[2] !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return not for_staff and (
      (parts[1] = 'leaderboard' and parts[2] in ('global', 'week'))
      or (parts[1] = 'school' and parts[2] = 'workshops')
    );
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
    else
      return false;
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
  select coalesce((
    select case when xmax = '0' then seq else private.settled_seq(seq, xmax) end
    from private.live_topics
    where live_topics.topic = live_cursor.topic
  ), 0);
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
  select case when xmax = '0' then heads.seq else private.settled_seq(heads.seq, xmax) end, heads.epoch
  into head, epoch
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
