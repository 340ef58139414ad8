-- What services may do for people: the functions that people's own calls end in.
grant execute on function private.complete_lesson_for(uuid, uuid, integer) to service_role;

-- Enrolls somebody in a published course, whatever it costs: who calls it has seen to that. An
-- enrollment that was cancelled begins again, with what was learned before. Safe to repeat; tells
-- what an enrollment of one's own tells. Raises USER_NOT_FOUND, COURSE_NOT_FOUND.
create or replace function private.enroll_for(student uuid, course uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  enrollment public.enrollments;
  is_new boolean;
begin
  if not exists (select 1 from public.users where id = student and is_active) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  if not exists (select 1 from public.courses where id = course and status = 'published') then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.enrollments (user_id, course_id) values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into enrollment;
  is_new := found;
  if not is_new then
    update public.enrollments set status = 'active'
    where user_id = student and course_id = course and status = 'cancelled'
    returning * into enrollment;
    is_new := found;
    if not is_new then
      select * into enrollment from public.enrollments
      where user_id = student and course_id = course;
    end if;
  end if;
  return jsonb_build_object(
    'userId', student,
    'courseId', course,
    'status', enrollment.status,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'isNew', is_new
  );
end;
$$;
grant execute on function private.enroll_for(uuid, uuid) to service_role;
