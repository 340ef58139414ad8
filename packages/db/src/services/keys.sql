-- Administrators see all of a key but its hash.
grant select (
  id, name, prefix, scopes, calls_per_minute, created_by, created_at, expires_at, revoked_at,
  last_used_at
) on private.service_keys to authenticated;
grant select on private.service_key_log to authenticated;

-- Makes a key of which only the hash is known here, and gives its id. For administrators.
create or replace function private.create_service_key(
  name text,
  prefix text,
  key_hash text,
  scopes text[],
  calls_per_minute integer,
  expires_at timestamptz
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  made uuid;
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  insert into private.service_keys (
    name, prefix, key_hash, scopes, calls_per_minute, expires_at, created_by
  )
  values (
    create_service_key.name, create_service_key.prefix, create_service_key.key_hash,
    create_service_key.scopes, create_service_key.calls_per_minute, create_service_key.expires_at,
    auth.uid()
  )
  returning id into made;
  return made;
end;
$$;
grant execute on function private.create_service_key(text, text, text, text[], integer, timestamptz)
to authenticated;

-- Ends a key at once; once revoked, a key stays so. False when there is no such key, or it was
-- revoked before. For administrators.
create or replace function private.revoke_service_key(key uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  update private.service_keys set revoked_at = clock_timestamp()
  where id = key and revoked_at is null;
  return found;
end;
$$;
grant execute on function private.revoke_service_key(uuid) to authenticated;

-- Whoever makes or revokes a key, it is in the log.
create or replace function private.log_service_key_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.service_key_log (key_id, action, actor_id)
  values (new.id, case tg_op when 'INSERT' then 'created' else 'revoked' end, auth.uid());
  return null;
end;
$$;

create or replace trigger log_service_key_created
after insert on private.service_keys
for each row execute function private.log_service_key_change();

create or replace trigger log_service_key_revoked
after update of revoked_at on private.service_keys
for each row when (old.revoked_at is null and new.revoked_at is not null)
execute function private.log_service_key_change();

-- What was granted to a key and when it ended never changes afterwards; keys are never deleted.
create or replace function private.guard_service_key() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op <> 'UPDATE'
    or (old.key_hash, old.prefix, old.scopes) is distinct from (new.key_hash, new.prefix, new.scopes)
    or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  then
    raise exception 'A service key is revoked and replaced, never changed' using errcode = '42501';
  end if;
  return new;
end;
$$;

create or replace trigger guard_service_key
before update or delete on private.service_keys
for each row execute function private.guard_service_key();

-- The log only grows, whoever asks; entries older than a year may go.
create or replace function private.guard_service_key_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'DELETE' and old.created_at < now() - interval '1 year' then
    return old;
  end if;
  raise exception 'The log of service keys only grows' using errcode = '42501';
end;
$$;

create or replace trigger guard_service_key_log
before update or delete on private.service_key_log
for each row execute function private.guard_service_key_log();

create or replace trigger guard_service_key_log_whole
before truncate on private.service_key_log
for each statement execute function private.guard_service_key_log();

-- The key with this hash, if there is one, whatever its state. Remembers the use, to the minute: a
-- busy key doesn't write its row at every call. For the API's own role only.
create or replace function private.use_service_key(hash text)
returns table (
  id uuid, name text, scopes text[], calls_per_minute integer, expired boolean, revoked boolean
)
language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
begin
  update private.service_keys as used set last_used_at = moment
  where used.key_hash = hash
    and used.revoked_at is null
    and coalesce(used.expires_at > moment, true)
    and coalesce(used.last_used_at < moment - interval '1 minute', true);
  return query
    select
      found.id, found.name, found.scopes, found.calls_per_minute,
      coalesce(found.expires_at <= moment, false), found.revoked_at is not null
    from private.service_keys as found
    where found.key_hash = hash;
end;
$$;

-- Records a call that a service has made. For services: the API calls it as one.
create or replace function private.log_service_call(
  key uuid,
  procedure_name text,
  outcome text,
  subject uuid,
  request text
)
returns void
language sql security definer set search_path = ''
as $$
  insert into private.service_key_log (key_id, action, outcome, subject_id, request_id)
  values (key, procedure_name, outcome, subject, request);
$$;
grant execute on function private.log_service_call(uuid, text, text, uuid, text) to service_role;
