-- A workshop as somebody's calendar shows it; the caller has checked that they may see it. Without a
-- place yet it may come about, with one given back it doesn't; to its staff it is sure.
create or replace function private.calendar_event(workshop public.workshops, person uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
  is_staff boolean := exists (
    select 1 from public.course_instructors
    where course_id = workshop.course_id and user_id = person
  );
  has_place boolean;
begin
  select * into registration from public.workshop_registrations
  where workshop_id = workshop.id and user_id = person;
  has_place := is_staff or coalesce(registration.status in ('registered', 'checked_in'), false);
  return jsonb_build_object(
    'id', workshop.id,
    'title', workshop.title,
    'description', workshop.description,
    'location', workshop.location,
    'meetingUrl', case when has_place then workshop.meeting_url end,
    'startsAt', private.iso_time(workshop.starts_at),
    'endsAt', private.iso_time(workshop.ends_at),
    'sequence', workshop.sequence + coalesce(registration.sequence, 0),
    'status', case
      when workshop.status = 'cancelled' then 'cancelled'
      when registration.status = 'cancelled' and not is_staff then 'cancelled'
      when has_place then 'confirmed'
      else 'tentative'
    end,
    'updatedAt', private.iso_time(greatest(workshop.updated_at, registration.updated_at))
  );
end;
$$;

-- One workshop for the caller's calendar; raises WORKSHOP_NOT_FOUND when they may not see it.
create or replace function private.own_calendar_event(workshop uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  select * into target from public.workshops
  where id = workshop and (is_open or private.is_course_member(course_id, auth.uid()));
  if not found then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  return private.calendar_event(target, auth.uid());
end;
$$;
grant execute on function private.own_calendar_event(uuid) to authenticated;

-- The secret of the caller's calendar; null while there is none.
create or replace function private.calendar_token() returns text
language sql stable security definer set search_path = ''
as $$
  select token from private.calendar_feeds where user_id = auth.uid();
$$;
grant execute on function private.calendar_token() to authenticated;

-- A new secret for the caller's calendar, of 244 random bits; with it the old one ends.
create or replace function private.renew_calendar_token() returns text
language sql security definer set search_path = ''
as $$
  insert into private.calendar_feeds (user_id, token)
  values (
    auth.uid(),
    encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex')
  )
  on conflict (user_id) do update set token = excluded.token, created_at = now()
  returning token;
$$;
grant execute on function private.renew_calendar_token() to authenticated;

-- Ends the address of the caller's calendar.
create or replace function private.remove_calendar_token() returns void
language sql security definer set search_path = ''
as $$
  delete from private.calendar_feeds where user_id = auth.uid();
$$;
grant execute on function private.remove_calendar_token() to authenticated;

-- The calendar that a secret opens, for whoever has it: what its owner registered for or teaches,
-- and may still see, from three months ago on. Null for a secret that isn't (any more), or whose
-- owner may not come in any more.
create or replace function public.calendar_feed(token text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  owner uuid;
begin
  select users.id into owner
  from private.calendar_feeds as feed
  join public.users on users.id = feed.user_id and users.is_active
  where feed.token = calendar_feed.token;
  if owner is null then
    return null;
  end if;
  return jsonb_build_object('items', coalesce((
    select jsonb_agg(private.calendar_event(workshop, owner) order by workshop.starts_at)
    from (
      select workshops.*
      from public.workshops
      where ends_at > now() - interval '90 days'
        and (
          course_id in (select course_id from public.course_instructors where user_id = owner)
          or id in (select workshop_id from public.workshop_registrations where user_id = owner)
          and (is_open or private.is_course_member(course_id, owner))
        )
      order by starts_at desc
      limit 1000
    ) as workshop
  ), '[]'));
end;
$$;
grant execute on function public.calendar_feed(text) to anon, authenticated;
