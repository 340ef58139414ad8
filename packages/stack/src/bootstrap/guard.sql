-- Policies and triggers on tables of others. Hosted Supabase lets `postgres` create policies on,
-- and drop triggers from, tables of `auth` and `realtime` that it doesn't own (supautils.policy_grants,
-- supautils.drop_trigger_grants: a C library). Postgres itself knows only the owner. So here
-- `postgres` inherits the owners' rights (roles.sql), and this guard takes back what hosted doesn't
-- give: in these schemas it may do what is listed, and nothing else. (Event triggers don't learn
-- which object a GRANT is about, so that one isn't taken back.)
create schema if not exists supabase_guard;
revoke all on schema supabase_guard from public;

-- Whether the session may change what belongs to Supabase.
create or replace function supabase_guard.is_trusted() returns boolean
language sql stable set search_path = ''
as $$
  select rolsuper from pg_catalog.pg_roles where rolname = current_user
$$;

create or replace function supabase_guard.refuse_changes() returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  command record;
begin
  if supabase_guard.is_trusted() then
    return;
  end if;
  for command in
    select command_tag, object_type, schema_name, object_identity
    from pg_catalog.pg_event_trigger_ddl_commands()
    where schema_name in ('auth', 'realtime', 'supabase_guard')
      and command_tag not in (
        'CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'CREATE TRIGGER', 'COMMENT'
      )
  loop
    raise exception 'must be owner of % %', command.object_type, command.object_identity
      using
        errcode = 'insufficient_privilege',
        hint = 'It belongs to Supabase. Policies and triggers may be made on it.';
  end loop;
end;
$$;

create or replace function supabase_guard.refuse_drops() returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  dropped record;
begin
  if supabase_guard.is_trusted() then
    return;
  end if;
  for dropped in
    select object_type, object_identity
    from pg_catalog.pg_event_trigger_dropped_objects()
    where schema_name in ('auth', 'realtime', 'supabase_guard')
      and object_type not in ('policy', 'trigger')
      -- Goes with an object of the app, such as a function that a trigger of its own calls.
      and original
  loop
    raise exception 'must be owner of % %', dropped.object_type, dropped.object_identity
      using errcode = 'insufficient_privilege';
  end loop;
end;
$$;

-- PostgREST's way to hear of a changed schema; the REST worker listens. What is temporary
-- concerns nobody else.
create or replace function supabase_guard.announce_schema_change() returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  is_lasting boolean;
begin
  if tg_event = 'sql_drop' then
    select bool_or(not is_temporary) into is_lasting
    from pg_catalog.pg_event_trigger_dropped_objects();
  else
    select bool_or(schema_name is distinct from 'pg_temp') into is_lasting
    from pg_catalog.pg_event_trigger_ddl_commands();
  end if;
  if is_lasting then
    notify pgrst, 'reload schema';
  end if;
end;
$$;

drop event trigger if exists supabase_refuse_changes;
create event trigger supabase_refuse_changes on ddl_command_end
  execute function supabase_guard.refuse_changes();
drop event trigger if exists supabase_refuse_drops;
create event trigger supabase_refuse_drops on sql_drop
  execute function supabase_guard.refuse_drops();
drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end
  execute function supabase_guard.announce_schema_change();
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
  execute function supabase_guard.announce_schema_change();
