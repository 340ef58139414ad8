-- Where a lesson is, and where the student stands who is about to do something in it.
do $$
begin
  if to_regtype('private.lesson_place') is null then
    create type private.lesson_place as (
      lesson_id uuid,
      lesson_title text,
      kind text,
      revision integer,
      quiz jsonb,
      time_cap_seconds integer,
      module_id uuid,
      module_title text,
      course_id uuid,
      course_title text,
      course_version integer,
      enrollment_id uuid,
      status text
    );
  end if;
end;
$$;

-- What counts in a course, and in one module of it, and how much of that a student has done.
do $$
begin
  if to_regtype('private.course_count') is null then
    create type private.course_count as (
      required integer,
      done integer,
      module_required integer,
      module_done integer
    );
  end if;
end;
$$;

-- Finds a lesson for a student who may do it, or raises why not: LESSON_NOT_FOUND,
-- ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED. Holds the course as it is, and locks the student's
-- enrollment, until the transaction ends.
create or replace function private.enter_lesson(student uuid, lesson uuid)
returns private.lesson_place
language plpgsql
as $$
declare
  place private.lesson_place;
  is_published boolean;
begin
  select modules.course_id into place.course_id
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  where lessons.id = lesson;
  if not found then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  end if;
  perform private.hold_course(place.course_id, false);
  select id, status into place.enrollment_id, place.status
  from public.enrollments
  where user_id = student and course_id = place.course_id and status <> 'cancelled'
  for no key update;
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  -- Read again: what was changed before the course was held counts.
  select
    lessons.id, lessons.title, lessons.kind, lessons.revision, lessons.quiz,
    -- Three times what the author says it takes, and ten minutes for the shortest.
    greatest(lessons.duration_minutes * 3, 10) * 60,
    modules.id, modules.title, courses.title, courses.version,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into
    place.lesson_id, place.lesson_title, place.kind, place.revision, place.quiz,
    place.time_cap_seconds, place.module_id, place.module_title, place.course_title,
    place.course_version, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson;
  if is_published is not true then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return place;
end;
$$;

-- Counts what counts, of a course and of one of its modules.
create or replace function private.count_course(student uuid, course uuid, module uuid)
returns private.course_count
language plpgsql stable
as $$
declare
  counted private.course_count;
begin
  select
    count(*),
    count(done.lesson_id),
    count(*) filter (where required.module_id = module),
    count(done.lesson_id) filter (where required.module_id = module)
  into counted
  from private.required_lessons(course) as required
  left join public.lesson_completions as done
    on done.user_id = student and done.lesson_id = required.lesson_id;
  return counted;
end;
$$;
