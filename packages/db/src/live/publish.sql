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

-- Numbers events, keeps them, and hands them to Realtime: locks the heads of their topics in one
-- order, takes as many numbers as there are events, and writes under the locks. The last insert is
-- what `realtime.send` does; the caller catches what fails. One event alone, which is what most
-- transactions tell, has a way without sets: half the time, which is part of each commit.
create or replace function private.store_events(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
  told_on text;
  told text;
  number bigint;
  current_epoch bigint;
  moment timestamptz;
  message uuid;
begin
  if moves <> '[]' then
    perform private.move_heads(events, moves, send);
  end if;
  if events = '[]' then
    return;
  end if;
  if jsonb_array_length(events) = 1 then
    told_on := events -> 0 ->> 'topic';
    told := events -> 0 ->> 'event';
    insert into private.live_topics as head (topic, seq)
    values (told_on, 1)
    on conflict (topic) do update set seq = head.seq + 1
    returning head.seq, head.epoch into number, current_epoch;
    moment := clock_timestamp();
    insert into private.live_events (topic, seq, event, payload, created_at)
    values (told_on, number, told, events -> 0 -> 'payload', moment);
    if send then
      message := gen_random_uuid();
      insert into realtime.messages (id, topic, extension, event, payload, private)
      values (
        message,
        private.channel_of(told_on, current_epoch),
        'broadcast',
        told,
        jsonb_build_object(
          'id', message, 'seq', number, 'at', private.epoch_ms(moment), 'data', events -> 0 -> 'payload'
        ),
        true
      );
    end if;
    return;
  end if;
  with event as materialized (
    select
      gen_random_uuid() as id,
      topic,
      event,
      payload,
      row_number() over (partition by topic order by position desc) as place
    from rows from (
      jsonb_to_recordset(events) as (topic text collate "C", event text, payload jsonb)
    ) with ordinality as item (topic, event, payload, position)
  ), head as (
    insert into private.live_topics as head (topic, seq)
    select topic, max(place) from event group by topic order by topic
    on conflict (topic) do update set seq = head.seq + excluded.seq
    returning topic, seq, epoch
  ), numbered as materialized (
    select
      event.id, topic, event, payload, epoch,
      seq - place + 1 as seq,
      clock_timestamp() as moment
    from event
    join head using (topic)
    order by seq - place + 1
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch),
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', private.epoch_ms(moment), 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(events jsonb, intents jsonb, moves jsonb)
returns void
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
    perform private.store_events(told, moves, true);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, moves, false);
  end;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`. Its plans are
-- kept for a session, so one that was made while a table was small would read all of it later:
-- everything here is looked up by key. Notifications come first, under locks of their recipients
-- (write.sql), then the heads: always in this order.
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
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.moves', '', true);
  setting := set_config('homeroom.flush', '', true);
  begin
    setting := private.store_events(
      case
        when intents = '[]' then events
        else events || private.write_notifications(intents)
      end,
      moves,
      true
    );
  exception when others then
    perform private.store_what_can_be(events, intents, moves);
  end;
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
