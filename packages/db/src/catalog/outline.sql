-- A lesson, as the outline of its course shows it.
create or replace function private.lesson_card(lesson public.lessons) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', lesson.id,
    'moduleId', lesson.module_id,
    'title', lesson.title,
    'kind', lesson.kind,
    'durationMinutes', lesson.duration_minutes,
    'isRequired', lesson.is_required,
    'revision', lesson.revision
  );
$$;

-- The modules of a course with the ids of their lessons, all in their order. `drafts` brings those
-- that students don't see, as the rows have them.
create or replace function private.course_modules(course uuid, drafts boolean) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', modules.id,
        'title', modules.title,
        'summary', modules.summary,
        'lessonIds', coalesce((
          select jsonb_agg(lessons.id order by lessons.position)
          from public.lessons
          where lessons.module_id = modules.id
            and lessons.removed_at is null
            and (drafts or lessons.is_published)
        ), '[]')
      )
      order by modules.position
    ),
    '[]'
  )
  from public.modules
  where modules.course_id = course
    and modules.removed_at is null
    and (drafts or modules.is_published);
$$;

-- The lessons of a course that students see, by their ids.
create or replace function private.published_lessons(course uuid) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_object_agg(lessons.id, private.lesson_card(lessons)), '{}')
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course and modules.is_published and lessons.is_published;
$$;

-- What a student of a course sees of its content: `{ courseId, version, title, modules, lessons }`.
-- Raises COURSE_NOT_FOUND for those who take no part.
create or replace function public.course_content(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_course_member(course_content.course_id, auth.uid()) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return (
    select jsonb_build_object(
      'courseId', courses.id,
      'version', courses.version,
      'title', courses.title,
      'modules', private.course_modules(courses.id, false),
      'lessons', coalesce((
        select jsonb_agg(lesson.value)
        from jsonb_each(private.published_lessons(courses.id)) as lesson
      ), '[]')
    )
    from public.courses
    where courses.id = course_content.course_id
  );
end;
$$;
grant execute on function public.course_content(uuid) to authenticated;
