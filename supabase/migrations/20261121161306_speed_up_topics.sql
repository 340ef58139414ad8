set check_function_bodies = off;

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
-- before them, `epochs` which channel it has, where not the first; the caller has the topics locked. The insert is what
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
      topic,
      event,
      payload,
      (heads ->> topic)::bigint + row_number() over (partition by topic order by position) as seq
    from rows from (
      jsonb_to_recordset(events) as (topic text, event text, payload jsonb)
    ) with ordinality as item (topic, event, payload, position)
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, coalesce((epochs ->> topic)::bigint, 0)),
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

-- Numbers, keeps and sends one event, when a transaction tells nothing else: most do. The same as
-- the general way below without its sets, in half the time, which is part of each commit.
create or replace function private.flush_one(event jsonb) returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  told_on text := event ->> 'topic';
  number bigint;
  current_epoch bigint;
  message uuid := gen_random_uuid();
  moment timestamptz;
begin
  insert into private.live_topics as head (topic, seq, epoch)
  values (told_on, 1, 0)
  on conflict (topic) do update
  set seq = head.seq + 1
  returning head.seq, head.epoch into number, current_epoch;

  begin
    moment := clock_timestamp();
    insert into private.live_events (topic, seq, event, payload, created_at)
    values (told_on, number, event ->> 'event', event -> 'payload', moment);
    insert into realtime.messages (id, topic, extension, event, payload, private)
    values (
      message,
      private.channel_of(told_on, current_epoch),
      'broadcast',
      event ->> 'event',
      jsonb_build_object(
        'id', message, 'seq', number, 'at', private.epoch_ms(moment), 'data', event -> 'payload'
      ),
      true
    );
  exception when others then
    perform private.store_what_can_be(
      jsonb_build_array(event),
      '[]',
      '[]',
      jsonb_build_object(told_on, number - 1),
      jsonb_build_object(told_on, current_epoch)
    );
  end;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`. Its plans are
-- kept for a session, so one that was made while a table was small would read all of it later:
-- everything here is looked up by key.
create or replace function private.flush_live() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
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
  if expected = 1 and intents = '[]' and moves = '[]' then
    setting := private.flush_one(events -> 0);
    return null;
  end if;

  -- Locks all heads in one order, takes as many numbers as can be needed, and moves what moves.
  with wanted as (
    select topic, sum(number) as numbers, max(move) as steps
    from (
      select topic, 1 as number, 0 as move from jsonb_to_recordset(events) as event (topic text)
      union all
      select 'user:' || user_id, 1, 0 from jsonb_to_recordset(intents) as intent (user_id text)
      union all
      select topic, 0, 1 from jsonb_to_recordset(moves) as move (topic text)
    ) as told
    group by topic
  ), taken as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, numbers, steps from wanted order by topic collate "C"
    on conflict (topic) do update
    set seq = head.seq + excluded.seq, epoch = head.epoch + excluded.epoch
    returning topic, seq, epoch
  )
  select
    jsonb_object_agg(topic, taken.seq - wanted.numbers),
    jsonb_object_agg(topic, taken.epoch) filter (where taken.epoch > 0)
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
