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

-- Moves topics to their next channels: locks the heads of these and of the events' topics in one
-- order, and tells those who are on the channels that were left where to go. That has no number,
-- since it is about the channel: who doesn't hear it sees the epoch in the next answer of
-- `live_since`.
create or replace function private.move_heads(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
begin
  with wanted as (
    select topic, max(step) as steps, max(within_ms) as within_ms
    from (
      select topic, 0 as step, null::integer as within_ms
      from jsonb_to_recordset(events) as event (topic text)
      union all
      select topic, 1, "withinMs"
      from jsonb_to_recordset(moves) as move (topic text, "withinMs" integer)
    ) as named
    group by topic
  ), moved as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, 0, steps from wanted order by topic collate "C"
    on conflict (topic) do update set epoch = head.epoch + excluded.epoch
    returning topic, epoch
  ), message as (
    select gen_random_uuid() as id, topic, epoch, within_ms
    from moved
    join wanted using (topic)
    where send and steps = 1
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch - 1),
    'broadcast',
    'topic.moved',
    jsonb_build_object('id', id, 'epoch', epoch, 'withinMs', within_ms),
    true
  from message;
end;
$$;
