-- What a lesson teaches, and how far the caller is in it; for those who are enrolled, and its
-- staff. Raises LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED.
create or replace function public.lesson_page(lesson_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  reader uuid := auth.uid();
  course uuid;
  is_staff boolean;
  is_published boolean;
begin
  select
    modules.course_id,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into course, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson_page.lesson_id;
  is_staff := private.is_course_staff(course, reader);
  if course is null then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  elsif not private.is_course_member(course, reader) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  elsif not is_published and not is_staff then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return (
    select jsonb_build_object(
      'id', lesson.id,
      'courseId', course,
      'moduleId', lesson.module_id,
      'title', lesson.title,
      'kind', lesson.kind,
      'content', lesson.content,
      'videoUrl', lesson.video_url,
      'captionsUrl', lesson.captions_url,
      'attachments', lesson.attachments,
      'durationMinutes', lesson.duration_minutes,
      'isRequired', lesson.is_required,
      'revision', lesson.revision,
      'quiz', private.quiz_for(
        lesson.quiz, is_staff or private.may_see_answers(reader, lesson.id, lesson.quiz)
      ),
      'completedAt', private.iso_time(done.completed_at),
      'place', coalesce(progress.place, 0),
      'timeSpentSeconds', coalesce(progress.time_spent_seconds, 0),
      'bestScore', progress.best_score,
      'attemptsLeft', (lesson.quiz ->> 'attemptsMax')::integer - coalesce(progress.attempts, 0),
      'attempts', coalesce((
        select jsonb_agg(private.attempt_json(attempt) order by attempt.number)
        from public.quiz_attempts as attempt
        where attempt.user_id = reader and attempt.lesson_id = lesson.id
      ), '[]')
    )
    from public.lessons as lesson
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = reader
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = reader
    where lesson.id = lesson_page.lesson_id
  );
end;
$$;
grant execute on function public.lesson_page(uuid) to authenticated;

-- Counts time of the caller in a lesson, and remembers their place in it (0–1; null: where it was).
-- Gives the seconds that were credited. Raises what `lesson_page` raises.
create or replace function public.report_time(lesson_id uuid, seconds integer, place real)
returns integer
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (
    select 1
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    join public.enrollments on enrollments.course_id = modules.course_id
    where lessons.id = report_time.lesson_id
      and lessons.is_published
      and modules.is_published
      and enrollments.user_id = auth.uid()
      and enrollments.status <> 'cancelled'
  ) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return private.credit_time(auth.uid(), report_time.lesson_id, seconds, report_time.place);
end;
$$;
grant execute on function public.report_time(uuid, integer, real) to authenticated;
