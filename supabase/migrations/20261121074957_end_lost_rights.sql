set check_function_bodies = off;

ALTER TABLE "private"."live_topics" ADD COLUMN "epoch" bigint DEFAULT 0 NOT NULL;

-- >>> live/epochs.sql
-- How losing a right ends a subscription. Realtime asks for rights at the join and not again until
-- the client's token changes, which a hostile client never does; and a hosted server can't be told
-- to throw anybody out. So a topic's events are sent on a channel whose name carries an *epoch*:
-- `course:<id>` at first, `course:<id>:e3` when three times somebody has lost the right to it. Who
-- takes a right away moves the topic in the same transaction: its events, from those of this
-- transaction on, go to a channel that only readers can join, and none before the move. Numbers go
-- on as if nothing had happened, so whoever moves late catches up. What clients send each other
-- (`:live`) moves with it.

-- The channel of a topic.
create or replace function private.channel_of(topic text, epoch bigint) returns text
language sql immutable
as $$
  select case when epoch = 0 then topic else topic || ':e' || epoch end;
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
grant execute on function private.can_join_channel(text, uuid) to authenticated;

-- Who may broadcast and track: those who may join, and only on `…:live`. On a topic itself only
-- the database speaks.
create or replace function private.can_send_on_channel(channel text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select channel like '%:live' and private.can_join_channel(channel, person);
$$;
grant execute on function private.can_send_on_channel(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to authenticated
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
grant execute on function public.live_epoch(text) to authenticated, service_role;

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

-- >>> live/lost-rights.sql
-- Who loses a right, and to which topics. Each row that gave a right and is gone moves what it gave
-- the right to, also where another row still gives it: two transactions that each take one of the
-- two away see each other's, and neither would know that it took the last. The person is told
-- `access.revoked` on their own topic, and asks again for everything that they follow.

-- The topics of all members of a course.
create or replace function private.course_topics(course uuid) returns setof text
language sql stable
as $$
  select unnest(array['course:' || course, 'leaderboard:' || course])
  union all
  select 'thread:' || id from public.discussion_threads where course_id = course;
$$;

-- The topics of a course's staff: those of the members, and their own.
create or replace function private.course_staff_topics(course uuid) returns setof text
language sql stable
as $$
  select private.course_topics(course)
  union all
  select 'course:' || course || ':staff'
  union all
  select unnest(array['workshop:' || id, 'workshop:' || id || ':staff'])
  from public.workshops
  where course_id = course;
$$;

-- Tells people that they have lost the right to something.
create or replace function private.tell_revoked(people uuid[], scopes text[]) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || person,
        'event', 'access.revoked',
        'payload', jsonb_build_object('scope', scope)
      )::text,
      ','
    )
    from unnest(people, scopes) as lost (person, scope)
  ));
end;
$$;

-- Ends what membership of courses gave: `people` and `course_ids` are pairs. `as_staff` says which
-- membership it was.
create or replace function private.end_course_rights(
  people uuid[],
  course_ids uuid[],
  as_staff boolean
)
returns void
language plpgsql
as $$
declare
  course uuid;
  topics text[];
begin
  if people is null then
    return;
  end if;
  perform private.tell_revoked(people, (
    select array_agg('course:' || id order by position)
    from unnest(course_ids) with ordinality as lost (id, position)
  ));
  for course in select distinct id from unnest(course_ids) as id loop
    topics := case
      when as_staff then array(select private.course_staff_topics(course))
      else array(select private.course_topics(course))
    end;
    perform private.move_topics(topics, (
      select count(*) from public.enrollments
      where course_id = course and status <> 'cancelled'
    ));
  end loop;
end;
$$;

-- Enrollments that were cancelled, or given to another student or course.
create or replace function private.after_enrollment_cancelled() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(before.user_id), array_agg(before.course_id)
  into people, course_ids
  from before
  join after using (id)
  where before.status <> 'cancelled'
    and (after.status = 'cancelled'
      or (after.user_id, after.course_id) is distinct from (before.user_id, before.course_id));
  if people is not null then
    perform private.end_course_rights(people, course_ids, false);
  end if;
  return null;
end;
$$;

create or replace trigger after_enrollment_cancelled
after update on public.enrollments
referencing old table as before new table as after
for each statement
execute function private.after_enrollment_cancelled();

create or replace function private.after_enrollment_deleted() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(user_id), array_agg(course_id)
  into people, course_ids
  from deleted
  where status <> 'cancelled';
  perform private.end_course_rights(people, course_ids, false);
  return null;
end;
$$;

create or replace trigger after_enrollment_deleted
after delete on public.enrollments
referencing old table as deleted
for each statement
execute function private.after_enrollment_deleted();

-- An instructor who no longer teaches a course.
create or replace function private.after_instructor_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.end_course_rights(array[old.user_id], array[old.course_id], true);
  return null;
end;
$$;

create or replace trigger after_instructor_removed
after delete or update of user_id, course_id on public.course_instructors
for each row
execute function private.after_instructor_removed();

-- A registration that was cancelled or removed, or given to somebody else.
create or replace function private.after_registration_ended() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  topic text := 'workshop:' || old.workshop_id;
begin
  perform private.tell_revoked(array[old.user_id], array[topic]);
  perform private.move_topics(array[topic], (
    select count(*) from public.workshop_registrations
    where workshop_id = old.workshop_id and status <> 'cancelled'
  ));
  return null;
end;
$$;

create or replace trigger after_registration_deleted
after delete on public.workshop_registrations
for each row
when (old.status <> 'cancelled')
execute function private.after_registration_ended();

create or replace trigger after_registration_cancelled
after update of status, user_id, workshop_id on public.workshop_registrations
for each row
when (old.status <> 'cancelled'
  and (new.status = 'cancelled'
    or (new.user_id, new.workshop_id) is distinct from (old.user_id, old.workshop_id)))
execute function private.after_registration_ended();

-- A person who may not come in any more: everything that they had a right to moves, their own topic
-- too, where the move is what tells them.
create or replace function private.after_user_deactivated() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.move_topics(array['user:' || old.id], 0);
  perform private.end_course_rights(array[old.id], array[course_id], false)
  from public.enrollments
  where user_id = old.id and status <> 'cancelled';
  perform private.end_course_rights(array[old.id], array[course_id], true)
  from public.course_instructors
  where user_id = old.id;
  perform private.move_topics(array_agg('workshop:' || workshop_id), 50)
  from public.workshop_registrations
  where user_id = old.id and status <> 'cancelled';
  return null;
end;
$$;

create or replace trigger after_user_deactivated
after update of is_active on public.users
for each row
when (old.is_active and not new.is_active)
execute function private.after_user_deactivated();

-- An administrator who is none any more could read every course: all of them move. Rare, and as
-- slow as there are topics.
create or replace function private.after_admin_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_revoked(array[old.id], array['everything']);
  perform private.move_topics(
    array(select private.course_staff_topics(courses.id) from public.courses), 500
  );
  return null;
end;
$$;

create or replace trigger after_admin_removed
after update of role, is_active on public.users
for each row
when (old.role = 'admin' and old.is_active and (new.role <> 'admin' or not new.is_active))
execute function private.after_admin_removed();

create or replace trigger after_admin_deleted
after delete on public.users
for each row
when (old.role = 'admin' and old.is_active)
execute function private.after_admin_removed();
-- <<< live/lost-rights.sql

-- >>> live/publish.sql
-- How an event gets its number. During the transaction, what is to be told is queued in two
-- transaction-local settings (a savepoint rolled back takes its part of them away, an aborted
-- transaction all, and nothing is written for it). The first thing queued arms one deferred
-- trigger. At commit it locks the heads of all topics concerned, in the order of their names, with
-- one statement, and numbers under those locks: so numbers have no holes and no repeats, the order
-- of numbers is the order of commits, and two transactions can't wait for each other in a circle.

-- The functions at the door (triggers, what others may call) set `search_path`, and have plans made
-- once rather than for each call; those behind them run under what the door has set, since setting
-- it anew costs more than what some of them do.

-- Arms the flush: one row per transaction, removed by a job.
create unlogged table if not exists private.live_flushes (armed_at timestamptz not null default now());
alter table private.live_flushes enable row level security;

-- Queues comma-separated JSON objects, and arms the flush.
create or replace function private.queue_live(queue text, items text) returns void
language plpgsql
as $$
declare
  queued text := current_setting(queue, true);
  -- Assigned rather than performed: an expression costs a tenth of a statement.
  setting text;
begin
  if items is null then
    return;
  end if;
  setting := set_config(queue, case when queued <> '' then queued || ',' || items else items end, true);
  if current_setting('homeroom.flush', true) is distinct from 'armed' then
    setting := set_config('homeroom.flush', 'armed', true);
    insert into private.live_flushes default values;
  end if;
end;
$$;

-- Tells an event on a topic, if and when this transaction commits. `payload` is what readers get
-- as `data`. For triggers and functions of the database, and for services.
create or replace function private.publish(topic text, event text, payload jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if topic is null or event is null or payload is null then
    raise exception 'An event needs a topic, a name and a payload' using errcode = '22004';
  end if;
  perform private.queue_live(
    'homeroom.events',
    jsonb_build_object('topic', topic, 'event', event, 'payload', payload)::text
  );
end;
$$;
grant execute on function private.publish(text, text, jsonb) to service_role;
grant usage on schema private to service_role;

-- Numbers events, keeps them, and hands them to Realtime. `heads` holds the number of each topic
-- before them, `epochs` which channel it has; the caller has the topics locked. The insert is what
-- `realtime.send` does, for all events in one statement; the caller catches what fails.
create or replace function private.store_events(
  events jsonb,
  heads jsonb,
  epochs jsonb,
  send boolean
)
returns void
language plpgsql
as $$
declare
  moment timestamptz := clock_timestamp();
  at numeric := private.epoch_ms(moment);
begin
  with numbered as materialized (
    select
      gen_random_uuid() as id,
      item.value ->> 'topic' as topic,
      item.value ->> 'event' as event,
      item.value -> 'payload' as payload,
      (heads ->> (item.value ->> 'topic'))::bigint
        + row_number() over (partition by item.value ->> 'topic' order by item.position) as seq
    from jsonb_array_elements(events) with ordinality as item (value, position)
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, (epochs ->> topic)::bigint),
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', at, 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(
  events jsonb,
  intents jsonb,
  moves jsonb,
  heads jsonb,
  epochs jsonb
)
returns jsonb
language plpgsql set search_path = ''
as $$
declare
  intent jsonb;
  told jsonb := events;
begin
  for intent in select value from jsonb_array_elements(intents) loop
    begin
      told := told || private.write_notifications(jsonb_build_array(intent));
    exception when others then
      insert into private.notification_failures (intents, sql_state, reason)
      values (jsonb_build_array(intent), sqlstate, sqlerrm);
    end;
  end loop;
  begin
    perform private.store_events(told, heads, epochs, true);
    perform private.tell_moves(moves, epochs);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, heads, epochs, false);
  end;
  return told;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`.
create or replace function private.flush_live() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  events jsonb := '[' || coalesce(current_setting('homeroom.events', true), '') || ']';
  intents jsonb := '[' || coalesce(current_setting('homeroom.notifications', true), '') || ']';
  moves jsonb := '[' || coalesce(current_setting('homeroom.moves', true), '') || ']';
  expected integer := jsonb_array_length(events) + jsonb_array_length(intents);
  heads jsonb;
  epochs jsonb;
  told jsonb;
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.moves', '', true);
  setting := set_config('homeroom.flush', '', true);
  if expected = 0 and moves = '[]' then
    return null;
  end if;

  -- Locks all heads in one order, takes as many numbers as can be needed, and moves what moves.
  with wanted as (
    select topic, sum(number) as numbers, max(move) as steps
    from (
      select value ->> 'topic' as topic, 1 as number, 0 as move from jsonb_array_elements(events)
      union all
      select 'user:' || (value ->> 'user_id'), 1, 0 from jsonb_array_elements(intents)
      union all
      select value ->> 'topic', 0, 1 from jsonb_array_elements(moves)
    ) as told
    group by topic
  ), taken as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, numbers, steps from wanted order by topic collate "C"
    on conflict (topic) do update
    set seq = head.seq + excluded.seq, epoch = head.epoch + excluded.epoch
    returning topic, seq, epoch
  )
  select jsonb_object_agg(topic, taken.seq - wanted.numbers), jsonb_object_agg(topic, taken.epoch)
  into heads, epochs
  from taken
  join wanted using (topic);

  begin
    told := events || private.write_notifications(intents);
    perform private.store_events(told, heads, epochs, true);
    if moves <> '[]' then
      perform private.tell_moves(moves, epochs);
    end if;
  exception when others then
    told := private.store_what_can_be(events, intents, moves, heads, epochs);
  end;

  -- Numbers that were not needed after all (merged, refused or failed notifications) go back,
  -- still under the locks.
  if jsonb_array_length(told) < expected then
    update private.live_topics as head
    set seq = before.value::bigint + (
      select count(*) from jsonb_array_elements(told) as event
      where event.value ->> 'topic' = before.key
    )
    from jsonb_each_text(heads) as before
    where head.topic = before.key;
  end if;
  return null;
end;
$$;

drop trigger if exists flush_live on private.live_flushes;
create constraint trigger flush_live
after insert on private.live_flushes
deferrable initially deferred
for each row execute function private.flush_live();

-- What is older than the seven days for which a client can catch up goes. Gives the number of events.
create or replace function private.remove_old_live_events() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from private.live_events where created_at < now() - interval '7 days';
  get diagnostics removed = row_count;
  delete from private.notification_failures where created_at < now() - interval '90 days';
  return removed;
end;
$$;
-- <<< live/publish.sql

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
    '^(user|course|thread|workshop|leaderboard):([A-Za-z0-9_-]{1,64})(?::(staff))?$'
  );
  for_staff boolean := parts[3] is not null;
  subject uuid;
begin
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
grant execute on function public.live_since(text, bigint, integer) to authenticated, service_role;
-- <<< live/topics.sql

drop function if exists private.can_send_on_topic(text, uuid);
drop function if exists private.store_events(jsonb, jsonb, boolean);
drop function if exists private.store_what_can_be(jsonb, jsonb, jsonb);
