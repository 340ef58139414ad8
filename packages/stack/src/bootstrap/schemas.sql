-- Schemas, extensions and what new objects may be used by. Run by supabase_admin in each database.
create schema if not exists extensions;
grant usage on schema extensions
  to postgres, anon, authenticated, service_role, supabase_auth_admin;
grant create on schema extensions to postgres;
create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pgcrypto with schema extensions;
grant execute on all functions in schema extensions
  to postgres, anon, authenticated, service_role, supabase_auth_admin;

-- Everything in public is everybody's until row level security says otherwise, as on hosted.
grant usage on schema public to anon, authenticated, service_role;
grant all on schema public to postgres;
do $$
declare
  creator text;
begin
  foreach creator in array array['postgres', 'supabase_admin'] loop
    execute format(
      'alter default privileges for role %I in schema public
       grant all on tables to postgres, anon, authenticated, service_role', creator);
    execute format(
      'alter default privileges for role %I in schema public
       grant all on functions to postgres, anon, authenticated, service_role', creator);
    execute format(
      'alter default privileges for role %I in schema public
       grant all on sequences to postgres, anon, authenticated, service_role', creator);
  end loop;
end $$;

-- Of a copy of a template too: `postgres` makes schemas of its own.
do $$
begin
  execute format('grant all on database %I to postgres', current_database());
end $$;

-- Apps add their tables to it; it begins empty and belongs to them.
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime owner to postgres;
end $$;
