-- Makes a subscription last until a moment, and gives it: a new one, or the one with this reference
-- (by default, one per person and plan). Never shortens one, so it may be repeated. Raises
-- USER_NOT_FOUND, and ALREADY_EXISTS when the reference is another person's.
create or replace function private.extend_subscription(
  person uuid,
  plan_name text,
  until timestamptz,
  source text,
  reference text
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  extended public.subscriptions;
begin
  if not exists (select 1 from public.users where id = person) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.subscriptions as known (
    user_id, plan, expires_at, provider, provider_reference
  )
  values (person, plan_name, until, source, coalesce(reference, person || ' ' || plan_name))
  on conflict (provider, provider_reference) do update
  set
    plan = excluded.plan,
    expires_at = greatest(known.expires_at, excluded.expires_at),
    status = case when greatest(known.expires_at, excluded.expires_at) > now() then 'active' else known.status end,
    cancelled_at = case when excluded.expires_at > known.expires_at then null else known.cancelled_at end
  where known.user_id = excluded.user_id
  returning * into extended;
  if not found then
    raise exception 'ALREADY_EXISTS' using errcode = '23505';
  end if;
  return jsonb_build_object(
    'id', extended.id,
    'userId', extended.user_id,
    'plan', extended.plan,
    'status', extended.status,
    'expiresAt', private.iso_time(extended.expires_at)
  );
end;
$$;
grant execute on function private.extend_subscription(uuid, text, timestamptz, text, text)
to service_role;
