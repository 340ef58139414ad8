-- Everything of the schema `realtime` that apps rely on; the same objects as on hosted Supabase.
create schema if not exists realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
grant usage on schema realtime to supabase_realtime_admin;

-- Messages of private and public channels, kept for replay. Who may join, receive, send and track
-- on a private topic is decided by policies on this table; there is none at first. A message that a
-- client sent and asked to keep has been told already (`skip_broadcast`), and may end (`expires_at`).
create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default timezone('utc', now()),
  inserted_at timestamp not null default timezone('utc', now()),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  skip_broadcast boolean not null default false,
  expires_at timestamp,
  primary key (id, inserted_at),
  constraint messages_payload_exclusive check (payload is null or binary_payload is null)
) partition by range (inserted_at);
-- What projects of earlier versions lack.
alter table realtime.messages
  add column if not exists skip_broadcast boolean not null default false,
  add column if not exists expires_at timestamp,
  alter column updated_at set default timezone('utc', now()),
  alter column inserted_at set default timezone('utc', now());
create index if not exists messages_inserted_at_topic_index
  on realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private is true;
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
grant all on realtime.messages to postgres;

-- Partitions of realtime.messages: one per UTC day, from yesterday to in three days; those whose
-- messages are all older than 72 hours are dropped. Without today's, messages are lost silently,
-- so whoever keeps a database running calls it at start and every hour. Safe to call at any time
-- by several at once: one works, the others wait.
create or replace function realtime.maintain_messages() returns void
language plpgsql security definer set search_path = ''
as $$
declare
  today date := (now() at time zone 'utc')::date;
  day date;
  partition_name text;
begin
  perform pg_advisory_xact_lock(hashtextextended('realtime.maintain_messages', 0));
  for day in
    select days::date from generate_series(today - 1, today + 3, interval '1 day') as days
  loop
    partition_name := to_char(day, '"messages_"YYYY_MM_DD');
    if to_regclass('realtime.' || partition_name) is null then
      execute format(
        'create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
        partition_name, day, day + 1);
      execute format('alter table realtime.%I owner to supabase_realtime_admin', partition_name);
    end if;
  end loop;

  for partition_name in
    select relname
    from pg_inherits
    join pg_class on pg_class.oid = inhrelid
    where inhparent = 'realtime.messages'::regclass
      and relname ~ '^messages_\d{4}_\d{2}_\d{2}$'
      and relname < to_char(today - 3, '"messages_"YYYY_MM_DD')
  loop
    execute format('drop table realtime.%I', partition_name);
  end loop;
end;
$$;
revoke execute on function realtime.maintain_messages() from public;
grant execute on function realtime.maintain_messages() to postgres, service_role;
select realtime.maintain_messages();

-- The topic under check, inside policies on realtime.messages.
create or replace function realtime.topic() returns text
language sql stable
as $$
  select nullif(current_setting('realtime.topic', true), '')::text
$$;

-- Broadcasts to a topic with the end of this transaction. The payload, an object, gets an `id`
-- unless it has one. Runs with the rights of the caller. A failure is a warning, never an error:
-- the message is lost, the caller's transaction goes on.
create or replace function realtime.send(
  payload jsonb, event text, topic text, private boolean default true
) returns void
language plpgsql
as $$
declare
  generated_id uuid := gen_random_uuid();
  final_payload jsonb;
begin
  begin
    if payload ? 'id' then
      final_payload := payload;
    else
      final_payload := jsonb_set(payload, '{id}', to_jsonb(generated_id));
    end if;
    perform set_config('realtime.topic', topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (generated_id, final_payload, event, topic, private, 'broadcast');
  exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;

-- The same for bytes.
create or replace function realtime.send_binary(
  payload bytea, event text, topic text, private boolean default true
) returns void
language plpgsql
as $$
begin
  begin
    perform set_config('realtime.topic', topic, true);
    insert into realtime.messages (id, binary_payload, event, topic, private, extension)
    values (gen_random_uuid(), payload, event, topic, private, 'broadcast');
  exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;

-- For row triggers: broadcasts the change of a row, whole, on a private topic. Errors abort the
-- caller's statement.
create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old,
      'record', new,
      'operation', operation,
      'table', table_name,
      'schema', table_schema
    ),
    event_name,
    topic_name
  );
exception when others then
  raise exception 'Failed to process the row: %', sqlerrm;
end;
$$;

-- Types and table of who listens to which table's changes. Our server keeps this in memory, and
-- writes it down here for tools that look at it.
do $$
begin
  if to_regtype('realtime.equality_op') is null then
    create type realtime.equality_op as enum (
      'eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'like', 'ilike', 'is', 'match', 'imatch',
      'isdistinct'
    );
    create type realtime.action as enum ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'ERROR');
    create type realtime.user_defined_filter as (
      column_name text, op realtime.equality_op, value text, negate boolean
    );
  end if;
end $$;

create or replace function realtime.to_regrole(role_name text) returns regrole
language sql immutable
as $$
  select role_name::regrole
$$;

create table if not exists realtime.subscription (
  id bigint generated always as identity primary key,
  subscription_id uuid not null,
  entity regclass not null,
  filters realtime.user_defined_filter[] not null default '{}',
  claims jsonb not null,
  claims_role regrole not null generated always as (realtime.to_regrole(claims ->> 'role')) stored,
  created_at timestamp not null default timezone('utc', now()),
  action_filter text default '*' check (action_filter in ('*', 'INSERT', 'UPDATE', 'DELETE')),
  selected_columns text[]
);
create index if not exists ix_realtime_subscription_entity on realtime.subscription (entity);
create unique index if not exists subscription_subscription_id_entity_filters_key
  on realtime.subscription
  (subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'));
alter table realtime.subscription owner to supabase_realtime_admin;
grant select on realtime.subscription to postgres, anon, authenticated, service_role;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'realtime.topic()',
    'realtime.send(jsonb, text, text, boolean)',
    'realtime.send_binary(bytea, text, text, boolean)',
    'realtime.broadcast_changes(text, text, text, text, text, record, record, text)',
    'realtime.to_regrole(text)'
  ] loop
    execute format('alter function %s owner to supabase_realtime_admin', signature);
    execute format('grant execute on function %s to public', signature);
  end loop;

  if not exists (
    select from pg_publication where pubname = 'supabase_realtime_messages_publication'
  ) then
    create publication supabase_realtime_messages_publication
      for table realtime.messages
      with (publish = 'insert', publish_via_partition_root = true);
  end if;
end $$;
