-- Keeps what the lessons of a course teach, as of a version: of those that students see, the ones
-- that are another than was kept last. A publication calls it before and after it writes, so that
-- what was changed past it (an import, psql) is kept too.
create or replace function private.keep_lessons(course uuid, as_of integer) returns void
language sql
as $$
  insert into public.lesson_versions (lesson_id, course_id, version, fields)
  select lesson.id, course, as_of, present.fields
  from public.modules
  join public.lessons as lesson on lesson.module_id = modules.id
  cross join lateral (select private.lesson_fields(lesson) as fields) as present
  where modules.course_id = course
    and modules.is_published
    and lesson.is_published
    and present.fields is distinct from (
      select latest.fields from public.lesson_versions as latest
      where latest.lesson_id = lesson.id
      order by latest.version desc
      limit 1
    )
  on conflict (lesson_id, version) do update set fields = excluded.fields;
$$;
