-- Who asks, for policies: `(select auth.uid())`. Run after @supabase/lite has made its tables,
-- since it brings simpler versions of these functions.
grant usage on schema auth to postgres, anon, authenticated, service_role;
alter schema auth owner to supabase_admin;
grant all on schema auth to supabase_auth_admin;

create or replace function auth.uid() returns uuid
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )::text
$$;

create or replace function auth.email() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )::text
$$;

create or replace function auth.jwt() returns jsonb
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

-- The tables belong to Auth. `postgres` may read and write them and put triggers on them;
-- nobody reaches them over REST.
do $$
declare
  object record;
begin
  for object in select tablename from pg_tables where schemaname = 'auth' loop
    execute format('alter table auth.%I owner to supabase_auth_admin', object.tablename);
    execute format('alter table auth.%I enable row level security', object.tablename);
    execute format('grant all on auth.%I to postgres', object.tablename);
    execute format('revoke all on auth.%I from anon, authenticated', object.tablename);
  end loop;
  for object in
    select pg_proc.oid::regprocedure as signature
    from pg_proc
    where pronamespace = 'auth'::regnamespace
  loop
    execute format('alter function %s owner to supabase_auth_admin', object.signature);
    execute format('grant execute on function %s to public', object.signature);
  end loop;
end $$;
