-- A new enrollment: its course's feed and instructors hear of it, and so do the student's other
-- tabs and devices.
create or replace function private.after_enrollment() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  course_ids uuid[];
  entities uuid[];
  details jsonb[];
  moments timestamptz[];
  setting text;
begin
  select
    array_agg(user_id),
    array_agg(course_id),
    array_agg(id),
    array_agg('{}'::jsonb),
    array_agg(enrolled_at)
  into students, course_ids, entities, details, moments
  from inserted
  where status <> 'cancelled';
  if students is null then
    return null;
  end if;
  setting := private.tell_instructors(
    'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
    students, course_ids, entities, details, moments
  );
  return null;
end;
$$;

create or replace trigger after_enrollment
after insert on public.enrollments
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment();

-- A course finished: told once, when `status` becomes `completed`. An enrollment that was cancelled
-- and begins again is told as a new one. Other changes of `status` move the figures of the course
-- (activity/stats.sql).
create or replace function private.after_course_completion() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  returned uuid[];
  returned_to uuid[];
  returns uuid[];
  returned_details jsonb[];
  returned_at timestamptz[];
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
  moves text;
begin
  select
    array_agg(after.user_id) filter (where before.status = 'cancelled'),
    array_agg(after.course_id) filter (where before.status = 'cancelled'),
    array_agg(after.id) filter (where before.status = 'cancelled'),
    array_agg('{}'::jsonb) filter (where before.status = 'cancelled'),
    array_agg(after.enrolled_at) filter (where before.status = 'cancelled'),
    array_agg(after.user_id) filter (where after.status = 'completed'),
    array_agg(after.course_id) filter (where after.status = 'completed'),
    array_agg(after.id) filter (where after.status = 'completed'),
    array_agg('{}'::jsonb) filter (where after.status = 'completed'),
    string_agg(
      json_build_object(
        'topic', 'course:' || after.course_id || ':staff',
        'event', 'stats.changed',
        'payload', json_build_object(
          'enrolled', -(after.status = 'cancelled')::integer,
          'completed', -(before.status = 'completed')::integer
        )
      )::text,
      ','
    ) filter (where before.status = 'completed' or after.status = 'cancelled')
  into
    returned, returned_to, returns, returned_details, returned_at,
    students, courses, entities, details, moves
  from before
  join after using (id)
  where after.status <> before.status;
  if moves is not null then
    perform private.queue_live('homeroom.events', moves);
  end if;
  if returned is not null then
    perform private.tell_instructors(
      'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
      returned, returned_to, returns, returned_details, returned_at
    );
  end if;
  if students is not null then
    perform private.tell_instructors(
      'course_completion', 'completed_course', 'Course Completed', '%s completed "%s"',
      'enrollment', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_course_completion
after update on public.enrollments
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_course_completion();
