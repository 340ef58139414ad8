-- Roles of the whole cluster, as hosted Supabase has them. Run by the superuser supabase_admin.
-- Only missing roles are made: databases of one cluster may be bootstrapped at the same time.
do $$
declare
  role_name text;
  attributes text;
begin
  -- One at a time: the catalog of roles is shared by all databases of the cluster.
  lock table pg_catalog.pg_authid in share row exclusive mode;

  for role_name, attributes in values
    ('anon', 'nologin noinherit'),
    ('authenticated', 'nologin noinherit'),
    ('service_role', 'nologin noinherit bypassrls'),
    ('authenticator', $role$login noinherit password 'postgres'$role$),
    ('supabase_auth_admin', $role$login noinherit createrole password 'postgres'$role$),
    ('supabase_realtime_admin', 'nologin noinherit noreplication'),
    -- Apps' migrations run as this one. No superuser: what needs one fails here as it fails there.
    (
      'postgres',
      $role$login createdb createrole replication bypassrls password 'postgres'$role$
    )
  loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I %s', role_name, attributes);
    end if;
  end loop;

  grant anon, authenticated, service_role to authenticator;
  grant anon, authenticated, service_role to supabase_realtime_admin;
  grant anon, authenticated, service_role, authenticator to postgres with admin option;
  grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_create_subscription to postgres;

  -- Policies and triggers on tables that belong to others (see guard.sql): the rights of an owner,
  -- but neither `set role` nor the right to pass them on.
  grant supabase_auth_admin, supabase_realtime_admin to postgres
    with admin false, inherit true, set false;

  alter role anon set statement_timeout = '3s';
  alter role authenticated set statement_timeout = '8s';
  alter role authenticator set statement_timeout = '8s';
  alter role authenticator set lock_timeout = '8s';
  alter role postgres set search_path = "$user", public, extensions;
  alter role supabase_auth_admin set search_path = auth;
  alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
end $$;
