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
