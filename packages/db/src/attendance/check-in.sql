grant select on public.attendance_log, public.workshop_presence to authenticated;

-- HMAC-SHA-256 (RFC 2104), of keys of at most 64 bytes: pgcrypto isn't everywhere in one schema.
create or replace function private.hmac_sha256(key bytea, message bytea) returns bytea
language plpgsql immutable
as $$
declare
  padded bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
  inner_key bytea := padded;
  outer_key bytea := padded;
begin
  for at in 0 .. 63 loop
    inner_key := set_byte(inner_key, at, get_byte(padded, at) # 54);
    outer_key := set_byte(outer_key, at, get_byte(padded, at) # 92);
  end loop;
  return sha256(outer_key || sha256(inner_key || message));
end;
$$;

-- A workshop's six digits at a moment: others every 30 seconds (RFC 4226's truncation, on SHA-256).
create or replace function private.workshop_code(workshop uuid, step bigint) returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  mac bytea := private.hmac_sha256(
    (select secret from private.workshop_secrets where workshop_id = workshop),
    int8send(step)
  );
  at integer := get_byte(mac, 31) & 15;
  number bigint := ((get_byte(mac, at) & 127)::bigint << 24)
    | (get_byte(mac, at + 1) << 16) | (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3);
begin
  return lpad((number % 1000000)::text, 6, '0');
end;
$$;

-- The 30 seconds that a moment is in.
create or replace function private.code_step(moment timestamptz) returns bigint
language sql immutable
as $$
  select floor(extract(epoch from moment) / 30)::bigint;
$$;

-- Each workshop has a secret of its own: 244 random bits.
create or replace function private.make_workshop_secret() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.workshop_secrets (workshop_id, secret)
  values (new.id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  return null;
end;
$$;

create or replace trigger make_workshop_secret
after insert on public.workshops
for each row execute function private.make_workshop_secret();

insert into private.workshop_secrets (workshop_id, secret)
select id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) from public.workshops
on conflict (workshop_id) do nothing;

-- Whether one can check in at a moment.
create or replace function private.is_check_in_open(workshop public.workshops, moment timestamptz)
returns boolean
language sql immutable
as $$
  select workshop.status <> 'cancelled'
    and moment >= workshop.starts_at - make_interval(mins => workshop.check_in_opens_minutes)
    and moment < workshop.ends_at;
$$;

-- The code to show now, and until when, for the workshop's staff, while one can check in: raises
-- CHECK_IN_CLOSED otherwise.
create or replace function private.current_workshop_code(workshop uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  target public.workshops := private.staffed_workshop(workshop);
begin
  if not private.is_check_in_open(target, moment) then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  return jsonb_build_object(
    'code', private.workshop_code(workshop, private.code_step(moment)),
    'validUntil', private.iso_time(to_timestamp((private.code_step(moment) + 1) * 30)),
    'now', private.iso_time(moment)
  );
end;
$$;
grant execute on function private.current_workshop_code(uuid) to authenticated;

-- A workshop whose staff the caller belongs to; raises WORKSHOP_NOT_FOUND otherwise.
create or replace function private.staffed_workshop(workshop uuid) returns public.workshops
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  select * into target from public.workshops
  where id = workshop and private.is_course_staff(course_id, auth.uid());
  if not found then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- What a row of the log is hashed over: a JSON array as Postgres writes it, so that no text can
-- pass for another field.
create or replace function private.attendance_hash(entry public.attendance_log) returns text
language sql stable set search_path = ''
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(
      entry.previous_hash, entry.workshop_id, entry.number, entry.user_id, entry.action,
      entry.method, private.iso_time(entry.happened_at), private.iso_time(entry.recorded_at),
      entry.actor_id, coalesce(entry.session_id, ''), entry.reason
    )::text,
    'utf8'
  )), 'hex');
$$;

-- Writes the next entry of a workshop's log. The caller has the workshop locked.
create or replace function private.log_attendance(
  workshop uuid,
  person uuid,
  action text,
  method text,
  happened_at timestamptz,
  reason text
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  entry public.attendance_log;
begin
  select number, hash into entry.number, entry.previous_hash
  from public.attendance_log
  where workshop_id = workshop
  order by number desc
  limit 1;
  entry.workshop_id := workshop;
  entry.number := coalesce(entry.number, 0) + 1;
  entry.previous_hash := coalesce(entry.previous_hash, '');
  entry.user_id := person;
  entry.action := log_attendance.action;
  entry.method := log_attendance.method;
  entry.happened_at := log_attendance.happened_at;
  entry.recorded_at := clock_timestamp();
  entry.actor_id := auth.uid();
  entry.session_id := left(auth.jwt() ->> 'session_id', 100);
  entry.reason := log_attendance.reason;
  entry.hash := private.attendance_hash(entry);
  insert into public.attendance_log values (entry.*);
end;
$$;

-- The log is only ever added to, by anybody.
create or replace function private.keep_attendance_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception 'The attendance log is never changed' using errcode = '55000';
end;
$$;

create or replace trigger keep_attendance_log
before update or delete on public.attendance_log
for each row execute function private.keep_attendance_log();

create or replace trigger keep_attendance_log_whole
before truncate on public.attendance_log
for each statement execute function private.keep_attendance_log();
revoke insert, update, delete on public.attendance_log from service_role;

-- Checks someone in, and logs it; checked in already, it stays so. The caller of this has the
-- workshop locked, and has decided that it may be.
create or replace function private.check_in(
  workshop public.workshops,
  person uuid,
  method text,
  happened_at timestamptz
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  select * into registration from public.workshop_registrations
  where workshop_id = workshop.id and user_id = person;
  if registration.status is distinct from 'checked_in' then
    insert into public.workshop_registrations
      (workshop_id, user_id, status, checked_in_at, method, is_late)
    values (
      workshop.id, person, 'checked_in', check_in.happened_at, check_in.method,
      check_in.happened_at > workshop.starts_at + make_interval(mins => workshop.late_after_minutes)
    )
    on conflict (workshop_id, user_id) do update
    set status = excluded.status, checked_in_at = excluded.checked_in_at,
      method = excluded.method, is_late = excluded.is_late
    returning * into registration;
    perform private.log_attendance(
      workshop.id, person, 'checked_in', check_in.method, check_in.happened_at, ''
    );
  end if;
  return private.registration_json(registration);
end;
$$;

-- An instructor sees someone who is there. Who has no place walked in. For the workshop's staff.
create or replace function private.check_in_by_hand(workshop uuid, person uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.staffed_workshop(workshop);
  is_registered boolean;
begin
  select * into target from public.workshops where id = workshop for no key update;
  if target.status = 'cancelled'
    or clock_timestamp() < target.starts_at - make_interval(mins => target.check_in_opens_minutes)
  then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  if not (target.is_open or private.is_course_member(target.course_id, person)) or not exists (
    select 1 from public.users where id = person and is_active
  ) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  is_registered := exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = person and status in ('registered', 'checked_in')
  );
  return private.check_in(
    target, person, case when is_registered then 'hand' else 'walk_in' end, clock_timestamp()
  );
end;
$$;
grant execute on function private.check_in_by_hand(uuid, uuid) to authenticated;

-- Takes a check-in back, for a reason. Who had a place has it again. For the workshop's staff.
create or replace function private.undo_check_in(workshop uuid, person uuid, reason text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
  how text;
begin
  perform private.staffed_workshop(workshop);
  perform from public.workshops where id = workshop for no key update;
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = person;
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    how := registration.method;
    update public.workshop_registrations
    set status = case when how = 'walk_in' then 'cancelled' else 'registered' end,
      checked_in_at = null, method = null, is_late = false
    where id = registration.id
    returning * into registration;
    perform private.log_attendance(
      workshop, person, 'undone', coalesce(how, 'hand'), clock_timestamp(), undo_check_in.reason
    );
  end if;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.undo_check_in(uuid, uuid, text) to authenticated;

-- The caller checks in with the code that they saw at a moment: now, or when the network was away.
-- The code of that moment has to be right, one step before or after it too; the moment has to lie
-- in the workshop's window and, so that nobody collects codes, the call within a day of its end.
-- Five wrong codes in ten minutes are all that anybody has. Gives `{ registration }` or
-- `{ refusal, retryAfterSeconds }`: raising would undo the count of what was wrong.
create or replace function private.check_in_by_code(workshop uuid, code text, seen_at timestamptz)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  moment timestamptz := clock_timestamp();
  step bigint := private.code_step(seen_at);
  wrong integer;
  first_wrong timestamptz;
begin
  if exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status = 'checked_in'
  ) then
    return jsonb_build_object(
      'registration', private.check_in(target, auth.uid(), 'code', seen_at)
    );
  end if;
  if not exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status in ('registered', 'waitlisted')
  ) then
    return jsonb_build_object('refusal', 'REGISTRATION_NOT_FOUND');
  end if;
  if not private.is_check_in_open(target, seen_at)
    or seen_at > moment + interval '1 minute'
    or moment > target.ends_at + interval '1 day'
  then
    return jsonb_build_object('refusal', 'CHECK_IN_CLOSED');
  end if;
  select count(*), min(attempted_at) into wrong, first_wrong
  from private.check_in_attempts
  where workshop_id = workshop
    and user_id = auth.uid()
    and attempted_at > moment - interval '10 minutes';
  if wrong >= 5 then
    return jsonb_build_object(
      'refusal', 'TOO_MANY_REQUESTS',
      'retryAfterSeconds',
      ceil(extract(epoch from first_wrong + interval '10 minutes' - moment))
    );
  end if;
  if not exists (
    select 1 from generate_series(step - 1, step + 1) as near
    where private.workshop_code(workshop, near) = code
  ) then
    insert into private.check_in_attempts (workshop_id, user_id, attempted_at)
    values (workshop, auth.uid(), moment);
    return jsonb_build_object('refusal', 'CODE_WRONG');
  end if;
  return jsonb_build_object('registration', private.check_in(target, auth.uid(), 'code', seen_at));
end;
$$;
grant execute on function private.check_in_by_code(uuid, text, timestamptz) to authenticated;

-- Someone is there, as a device of theirs says: time since their last sign of life counts when it
-- was at most 90 seconds ago. Two devices at once are one interval, and so is a reconnect.
create or replace function private.seen_in_workshop(
  workshop uuid,
  person uuid,
  moment timestamptz
)
returns void
language sql security definer set search_path = ''
as $$
  insert into public.workshop_presence as earlier (workshop_id, user_id, seen, last_seen_at)
  select id, person, '{}', moment
  from public.workshops
  where id = workshop
    and moment between starts_at - make_interval(mins => check_in_opens_minutes) and ends_at
  on conflict (workshop_id, user_id) do update
  set
    seen = case
      when moment - earlier.last_seen_at between interval '0' and interval '90 seconds'
      then earlier.seen + tstzmultirange(tstzrange(earlier.last_seen_at, moment, '[]'))
      else earlier.seen
    end,
    last_seen_at = greatest(earlier.last_seen_at, moment);
$$;
