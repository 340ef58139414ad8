-- Policies and triggers on tables of others. Hosted Supabase lets `postgres` create policies on,
-- and drop triggers from, tables of `auth` and `realtime` that it doesn't own (supautils.policy_grants,
-- supautils.drop_trigger_grants: a C library). Postgres itself knows only the owner. So here
-- `postgres` inherits the owners' rights (roles.sql), and this guard takes back what hosted doesn't
-- give: in these schemas it may do what is listed, and nothing else.
create schema if not exists supabase_guard;
revoke all on schema supabase_guard from public;
-- The guard's functions run as whoever is guarded against.
grant usage on schema supabase_guard to public;

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

-- Rights on the tables and schemas of Supabase, one row each; grantee 0 is everybody.
create or replace function supabase_guard.grants()
returns table (kind text, schema_name text, object text, grantee oid, privilege text)
language sql stable set search_path = ''
as $$
  select 'table', nspname, pg_class.oid::regclass::text, acl.grantee, acl.privilege_type
  from pg_catalog.pg_class
  join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  cross join pg_catalog.aclexplode(coalesce(relacl, pg_catalog.acldefault('r', relowner))) as acl
  where nspname in ('auth', 'realtime') and relkind in ('r', 'p', 'v')
  union all
  select 'schema', nspname, quote_ident(nspname), acl.grantee, acl.privilege_type
  from pg_catalog.pg_namespace
  cross join pg_catalog.aclexplode(coalesce(nspacl, pg_catalog.acldefault('n', nspowner))) as acl
  where nspname in ('auth', 'realtime')
$$;

-- Event triggers don't learn which object a GRANT is about, so the rights before it are noted.
create or replace function supabase_guard.note_grants() returns event_trigger
language plpgsql set search_path = ''
as $$
begin
  if not supabase_guard.is_trusted() then
    perform pg_catalog.set_config(
      'supabase_guard.grants',
      (select pg_catalog.json_agg(noted)::text from supabase_guard.grants() as noted),
      true);
  end if;
end;
$$;

-- Takes back what `postgres` may not give, and gives back what it may not take. On hosted it holds
-- rights on these tables without the option to pass them on, but for reading Auth's and for using
-- the schema `realtime`; there Postgres warns and does nothing, so that is what happens here.
create or replace function supabase_guard.undo_grants() returns event_trigger
language plpgsql security definer set search_path = ''
as $$
declare
  noted json := nullif(pg_catalog.current_setting('supabase_guard.grants', true), '')::json;
  undo text;
begin
  if noted is null then
    return;
  end if;
  -- What follows are grants too.
  perform pg_catalog.set_config('supabase_guard.grants', '', true);
  for undo in
    with before as (
      select *
      from pg_catalog.json_to_recordset(noted)
        as b (kind text, schema_name text, object text, grantee oid, privilege text)
    ),
    given as (select * from supabase_guard.grants() except select * from before),
    taken as (select * from before except select * from supabase_guard.grants())
    select
      format('revoke %s on %s %s from %s cascade', privilege, kind, object,
        case when grantee = 0 then 'public' else grantee::regrole::text end)
    from given
    where (kind, schema_name, privilege)
      not in (('table', 'auth', 'SELECT'), ('schema', 'realtime', 'USAGE'))
    union all
    select
      format('grant %s on %s %s to %s', privilege, kind, object,
        case when grantee = 0 then 'public' else grantee::regrole::text end)
    from taken
    where (kind, schema_name, privilege)
      not in (('table', 'auth', 'SELECT'), ('schema', 'realtime', 'USAGE'))
  loop
    execute undo;
    raise warning 'no privileges were granted or revoked: %', undo
      using hint = 'It belongs to Supabase, which keeps the option to pass this right on.';
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
drop event trigger if exists supabase_note_grants;
create event trigger supabase_note_grants on ddl_command_start
  when tag in ('GRANT', 'REVOKE')
  execute function supabase_guard.note_grants();
drop event trigger if exists supabase_undo_grants;
create event trigger supabase_undo_grants on ddl_command_end
  when tag in ('GRANT', 'REVOKE')
  execute function supabase_guard.undo_grants();
drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end
  execute function supabase_guard.announce_schema_change();
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
  execute function supabase_guard.announce_schema_change();
