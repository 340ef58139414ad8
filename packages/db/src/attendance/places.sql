-- The address of the meeting is for those who have a place (`private.meeting_url`).
revoke select on public.workshops from authenticated;
grant select (
  id, course_id, title, description, location, starts_at, ends_at, time_zone, is_open,
  check_in_opens_minutes, late_after_minutes, capacity, status, sequence, created_by, created_at,
  updated_at
) on public.workshops to authenticated;
grant insert (
  course_id, title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity,
  is_open, check_in_opens_minutes, late_after_minutes, created_by
), update (
  title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity, is_open,
  check_in_opens_minutes, late_after_minutes, status
) on public.workshops to authenticated;

create or replace trigger check_time_zone
before insert or update of time_zone on public.workshops
for each row execute function private.check_time_zone();

-- Never more places than there are, whoever writes: under the lock of the workshop, which all that
-- changes its registrations takes first, a place that isn't free becomes one on the waiting list.
-- Those who are there are there: checking in is not refused for want of a place.
create or replace function private.give_place() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  room integer;
  taken integer;
begin
  select capacity into room from public.workshops
  where id = new.workshop_id
  for no key update;
  if new.status = 'registered' and room is not null then
    select count(*) into taken
    from public.workshop_registrations
    where workshop_id = new.workshop_id
      and user_id <> new.user_id
      and status in ('registered', 'checked_in');
    if taken >= room then
      new.status := 'waitlisted';
    end if;
  end if;
  if tg_op = 'UPDATE' and new.status <> old.status then
    new.sequence := old.sequence + 1;
  end if;
  return new;
end;
$$;

create or replace trigger give_place
before insert or update of status on public.workshop_registrations
for each row execute function private.give_place();

-- Gives free places to those who wait, first come, first served, until it starts being over. They
-- are notified.
create or replace function private.fill_places(workshop uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
  free integer;
  given uuid[];
begin
  select * into target from public.workshops where id = workshop for no key update;
  if not found or target.status not in ('scheduled', 'live') then
    return;
  end if;
  select target.capacity - count(*) into free
  from public.workshop_registrations
  where workshop_id = workshop and status in ('registered', 'checked_in');
  with promoted as (
    update public.workshop_registrations
    set status = 'registered'
    where id in (
      select id from public.workshop_registrations
      where workshop_id = workshop and status = 'waitlisted'
      order by registered_at, id
      limit greatest(free, 0)
    )
    returning user_id
  )
  select array_agg(user_id) into given from promoted;
  if given is not null then
    perform private.tell_participants(
      target, given, 'success', 'You have a place', 'A place became free in "%s".', 'place'
    );
  end if;
end;
$$;

-- Notifies people of something about a workshop; `sentence` has one place, the workshop's title.
create or replace function private.tell_participants(
  workshop public.workshops,
  people uuid[],
  level text,
  title text,
  sentence text,
  about text
)
returns void
language sql set search_path = ''
as $$
  select private.notify(coalesce(jsonb_agg(jsonb_build_object(
    'user_id', person,
    'type', 'workshop',
    'level', level,
    'title', title,
    'message', format(sentence, workshop.title),
    'course_id', workshop.course_id,
    'related_entity_type', 'workshop',
    'related_entity_id', workshop.id,
    'data', jsonb_build_object(
      'course_id', workshop.course_id,
      'workshop_id', workshop.id,
      'workshop_title', workshop.title,
      'starts_at', private.iso_time(workshop.starts_at),
      'about', about
    )
  )), '[]'))
  from unnest(people) as person;
$$;

-- A registration is new or has changed: counts to all who are registered, the participant to the
-- staff, and to the person's own devices. A place that became free goes to the first who waits.
create or replace function private.after_registration() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations := coalesce(new, old);
  was_placed boolean := tg_op <> 'INSERT' and old.status in ('registered', 'checked_in');
  is_placed boolean := tg_op <> 'DELETE' and new.status in ('registered', 'checked_in');
  told jsonb;
begin
  if tg_op = 'DELETE' then
    registration.status := 'cancelled';
  end if;
  if not exists (select 1 from public.workshops where id = registration.workshop_id) then
    return null; -- it goes with its workshop
  end if;
  told := jsonb_build_object(
    'registration', private.registration_json(registration),
    'counts', private.workshop_counts(registration.workshop_id)
  );
  perform private.publish(
    'workshop:' || registration.workshop_id,
    'workshop.counted',
    jsonb_build_object('counts', told -> 'counts')
  );
  perform private.publish(
    format('workshop:%s:staff', registration.workshop_id), 'participant.changed', told
  );
  perform private.publish('user:' || registration.user_id, 'registration.changed', told);
  if was_placed and not is_placed then
    perform private.fill_places(registration.workshop_id);
  end if;
  return null;
end;
$$;

create or replace trigger after_registration
after insert or update of status, user_id, is_late or delete on public.workshop_registrations
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_registration();

-- When a workshop begins, in words and where it takes place: Tuesday 24 November, 18:00
-- (Europe/Stockholm).
create or replace function private.workshop_when(workshop public.workshops) returns text
language sql stable set search_path = ''
as $$
  select to_char(
    workshop.starts_at at time zone workshop.time_zone, 'FMDay FMDD FMMonth, HH24:MI'
  ) || ' (' || replace(workshop.time_zone, '_', ' ') || ')';
$$;

-- What changes with a workshop: its number for calendars, and its state, when it is moved to
-- another time.
create or replace function private.before_workshop_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if (new.title, new.description, new.location, new.meeting_url, new.starts_at, new.ends_at,
      new.status = 'cancelled')
    is distinct from
    (old.title, old.description, old.location, old.meeting_url, old.starts_at, old.ends_at,
      old.status = 'cancelled')
  then
    new.sequence := old.sequence + 1;
  end if;
  if (new.starts_at, new.ends_at) is distinct from (old.starts_at, old.ends_at)
    and new.status = old.status and new.status <> 'cancelled'
  then
    new.status := case
      when new.ends_at <= now() then 'ended'
      when new.starts_at <= now() then 'live'
      else 'scheduled'
    end;
  end if;
  return new;
end;
$$;

create or replace trigger before_workshop_change
before update on public.workshops
for each row execute function private.before_workshop_change();

-- A workshop is planned, changed or cancelled: those of its course hear of it, and those registered
-- are notified when it is cancelled or takes place at another time or place. More room goes to
-- those who wait.
create or replace function private.after_workshop_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('workshop', private.workshop_json(new));
  registered uuid[] := array(
    select user_id from public.workshop_registrations
    where workshop_id = new.id and status in ('registered', 'waitlisted', 'checked_in')
  );
begin
  perform private.publish(
    'course:' || new.course_id,
    case tg_op when 'INSERT' then 'workshop.planned' else 'workshop.changed' end,
    told
  );
  -- To everybody with a list of workshops, and therefore without a word about which: lists are asked
  -- for anew, by those who may see it.
  perform private.publish('school:workshops', 'workshops.changed', '{}');
  if tg_op = 'INSERT' then
    return null;
  end if;
  perform private.publish('workshop:' || new.id, 'workshop.changed', told);
  if new.status = 'cancelled' and old.status <> 'cancelled' then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop cancelled', '"%s" will not take place.', 'cancelled'
    );
  elsif new.status <> 'ended' and new.starts_at <> old.starts_at then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop moved',
      '"%s" is now on ' || private.workshop_when(new) || '.', 'moved'
    );
  elsif new.status <> 'ended'
    and (new.location, new.meeting_url) is distinct from (old.location, old.meeting_url)
  then
    perform private.tell_participants(
      new, registered, 'info', 'Workshop changed', '"%s" has a new place.', 'changed'
    );
  end if;
  if new.starts_at <> old.starts_at then
    -- Of the new time one is reminded again, but not of what has just been said.
    update public.workshop_registrations
    set reminders_sent = case
      when new.starts_at <= now() + interval '1 hour' then 2
      when new.starts_at <= now() + interval '1 day' then 1
      else 0
    end
    where workshop_id = new.id;
  end if;
  if new.capacity is distinct from old.capacity then
    perform private.fill_places(new.id);
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_change
after insert or update on public.workshops
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_change();

-- A workshop that the caller may see, locked against changes of its registrations; raises
-- WORKSHOP_NOT_FOUND otherwise.
create or replace function private.lock_visible_workshop(workshop uuid) returns public.workshops
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  if not exists (
    select 1 from public.workshops
    where id = workshop and (is_open or private.is_course_member(course_id, auth.uid()))
  ) then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  select * into target from public.workshops where id = workshop for no key update;
  return target;
end;
$$;

-- Registers the caller, with a place or on the waiting list. Registered already, it stays so.
create or replace function private.register_for_workshop(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  registration public.workshop_registrations;
begin
  if target.status not in ('scheduled', 'live') or target.ends_at <= clock_timestamp() then
    raise exception 'WORKSHOP_OVER' using errcode = '55000';
  end if;
  insert into public.workshop_registrations as earlier (workshop_id, user_id, registered_at)
  values (workshop, auth.uid(), clock_timestamp())
  on conflict (workshop_id, user_id) do update
  set status = 'registered', registered_at = excluded.registered_at, reminders_sent = 0
  where earlier.status = 'cancelled';
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  return private.registration_json(registration);
end;
$$;
grant execute on function private.register_for_workshop(uuid) to authenticated;

-- Gives the caller's place back. Who has been checked in has been there.
create or replace function private.cancel_registration(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  perform private.lock_visible_workshop(workshop);
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    raise exception 'ALREADY_CHECKED_IN' using errcode = '55000';
  end if;
  update public.workshop_registrations
  set status = 'cancelled'
  where id = registration.id and status <> 'cancelled';
  select * into registration from public.workshop_registrations where id = registration.id;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.cancel_registration(uuid) to authenticated;

-- Where a workshop's meeting is, for those who have a place and its staff; null for others.
create or replace function private.meeting_url(workshop uuid) returns text
language sql stable security definer set search_path = ''
as $$
  select workshops.meeting_url
  from public.workshops
  where id = workshop and (
    private.is_course_staff(course_id, auth.uid())
    or exists (
      select 1 from public.workshop_registrations
      where workshop_id = workshop
        and user_id = auth.uid()
        and status in ('registered', 'checked_in')
    )
  );
$$;
grant execute on function private.meeting_url(uuid) to authenticated;

-- Begins and ends workshops when their time has come, and reminds those who have a place a day and
-- an hour before. Run each minute; each reminder is sent once. Gives how many were sent.
create or replace function private.tend_workshops() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reminder record;
  sent integer := 0;
begin
  update public.workshops
  set status = case when ends_at <= now() then 'ended' else 'live' end
  where (status = 'scheduled' and starts_at <= now()) or (status = 'live' and ends_at <= now());
  for reminder in
    with due as (
      select registration.id, workshop.id as workshop_id,
        case when workshop.starts_at <= now() + interval '1 hour' then 2 else 1 end as stage
      from public.workshops as workshop
      join public.workshop_registrations as registration
        on registration.workshop_id = workshop.id
      where workshop.status = 'scheduled'
        and workshop.starts_at between now() and now() + interval '1 day'
        and registration.status = 'registered'
        and registration.registered_at < workshop.starts_at - case
          when workshop.starts_at <= now() + interval '1 hour' then interval '1 hour'
          else interval '1 day'
        end
    ), reminded as (
      update public.workshop_registrations as registration
      set reminders_sent = due.stage
      from due
      where registration.id = due.id and registration.reminders_sent < due.stage
      returning registration.user_id, due.workshop_id, due.stage
    )
    select workshop_id, stage, array_agg(user_id) as people
    from reminded
    group by workshop_id, stage
  loop
    perform private.tell_participants(
      workshops, reminder.people, 'info',
      case reminder.stage when 1 then 'Workshop tomorrow' else 'Workshop within the hour' end,
      '"%s" begins on ' || private.workshop_when(workshops) || '.',
      'reminder'
    )
    from public.workshops where id = reminder.workshop_id;
    sent := sent + cardinality(reminder.people);
  end loop;
  return sent;
end;
$$;
