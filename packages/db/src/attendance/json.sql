-- A workshop as the API and the events show it; the same to everybody who may see it. The address
-- of the meeting is for those who have a place, so it is not here.
create or replace function private.workshop_json(workshop public.workshops) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', workshop.id,
    'courseId', workshop.course_id,
    'title', workshop.title,
    'description', workshop.description,
    'location', workshop.location,
    'isOnline', workshop.meeting_url is not null,
    'startsAt', private.iso_time(workshop.starts_at),
    'endsAt', private.iso_time(workshop.ends_at),
    'timeZone', workshop.time_zone,
    'capacity', workshop.capacity,
    'isOpen', workshop.is_open,
    'checkInOpensMinutes', workshop.check_in_opens_minutes,
    'lateAfterMinutes', workshop.late_after_minutes,
    'status', workshop.status
  );
$$;

-- The same by its id: whoever asks has seen that they may. Users can't read whole rows, since the
-- address of the meeting has no grant.
create or replace function private.workshop_json_of(workshop uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.workshop_json(workshops) from public.workshops where id = workshop;
$$;
grant execute on function private.workshop_json_of(uuid) to authenticated;

-- How many have a place, are there, and wait. Exact, since whoever changes it has the workshop
-- locked; callable by all, since it names nobody.
create or replace function private.workshop_counts(workshop uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'registered', count(*) filter (where status in ('registered', 'checked_in')),
    'checkedIn', count(*) filter (where status = 'checked_in'),
    'waitlisted', count(*) filter (where status = 'waitlisted')
  )
  from public.workshop_registrations
  where workshop_id = workshop;
$$;
grant execute on function private.workshop_counts(uuid) to authenticated;

-- For how many seconds someone was seen in a workshop, on all devices together.
create or replace function private.seconds_present(workshop uuid, person uuid) returns integer
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select sum(extract(epoch from upper(span) - lower(span)))::integer
    from public.workshop_presence, unnest(seen) as span
    where workshop_id = workshop and user_id = person
  ), 0);
$$;
grant execute on function private.seconds_present(uuid, uuid) to authenticated;

-- Someone's registration, as they and the staff see it.
create or replace function private.registration_json(registration public.workshop_registrations)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'workshopId', registration.workshop_id,
    'person', private.person_json(registration.user_id),
    'status', registration.status,
    'registeredAt', private.iso_time(registration.registered_at),
    'checkedInAt', private.iso_time(registration.checked_in_at),
    'method', registration.method,
    'isLate', registration.is_late
  );
$$;
grant execute on function private.registration_json(public.workshop_registrations)
to authenticated;
