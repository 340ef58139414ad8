-- A registration for a workshop, whether it got a place or waits for one.
create or replace function private.after_workshop_registration() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(inserted.user_id),
    array_agg(workshops.course_id),
    array_agg(workshops.id),
    array_agg(jsonb_build_object(
      'workshop_id', workshops.id, 'workshop_title', workshops.title, 'status', inserted.status
    ))
  into students, courses, entities, details
  from inserted
  join public.workshops on workshops.id = inserted.workshop_id
  where inserted.status <> 'cancelled';
  if students is not null then
    perform private.tell_instructors(
      'workshop_registration', 'registered', 'New Workshop Registration',
      '%s registered for a workshop of "%s"', 'workshop', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_registration
after insert on public.workshop_registrations
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_registration();

-- Somebody has come: the feed of the course says so, each time that it is found to be so.
create or replace function private.after_workshop_check_in() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select new.user_id, course_id, 'checked_in', jsonb_build_object(
    'workshop_id', id, 'workshop_title', title
  )
  from public.workshops where id = new.workshop_id;
  return null;
end;
$$;

create or replace trigger after_workshop_check_in
after insert on public.workshop_registrations
for each row
when (new.status = 'checked_in' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();

create or replace trigger after_workshop_check_in_later
after update of status on public.workshop_registrations
for each row
when (new.status = 'checked_in' and old.status <> 'checked_in'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();
