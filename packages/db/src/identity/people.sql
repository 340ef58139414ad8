-- A person as others see them beside what they have said or done: also when both share no course
-- any more. Null for nobody. Who calls it has checked that its caller may see what it is beside.
-- In PL/pgSQL, as what calls it for each row: a function in SQL that isn't inlined is planned anew
-- each time.
create or replace function private.person_json(person uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', id,
      'name', private.display_name(first_name, last_name),
      'avatarUrl', avatar_url
    )
    from public.users
    where id = person
  );
end;
$$;
revoke execute on function private.person_json(uuid) from public;
grant execute on function private.person_json(uuid) to authenticated;

-- Those in a course whose first, last or whole name begins with `words`: staff first, then by name,
-- at most `max`. For its members; raises COURSE_NOT_FOUND for others.
create or replace function private.find_course_people(course uuid, words text, max integer)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  begins text := regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(private.person_json(id) order by is_student, first_name, last_name, id)
    from (
      select users.id, users.first_name, users.last_name, teaching.user_id is null as is_student
      from public.users
      left join public.course_instructors as teaching
        on teaching.user_id = users.id and teaching.course_id = course
      where (
        teaching.user_id is not null
        or exists (
          select 1 from public.enrollments
          where enrollments.user_id = users.id
            and enrollments.course_id = course
            and enrollments.status <> 'cancelled'
        )
      ) and (
        users.first_name ilike begins
        or users.last_name ilike begins
        or users.first_name || ' ' || users.last_name ilike begins
      )
      order by is_student, users.first_name, users.last_name, users.id
      limit least(max, 50)
    ) as people
  ), '[]');
end;
$$;
grant execute on function private.find_course_people(uuid, text, integer) to authenticated;
