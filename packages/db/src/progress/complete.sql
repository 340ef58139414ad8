-- Completes a lesson for a student, and all that follows from it: lesson, module, enrollment,
-- course, certificate, totals, points, achievements, feed, events and one notification. One
-- transaction, safe to repeat, safe at the same moment from many places: the student's enrollment is
-- locked first. Refuses with a reason: LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED,
-- QUIZ_NOT_PASSED. `seconds` is what the student was there since it was last reported.
create or replace function private.complete_lesson_for(student uuid, lesson uuid, seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  place private.lesson_place := private.enter_lesson(student, lesson);
  counted private.course_count;
  is_new boolean;
  has_module boolean := false;
  spent integer;
  stats public.learning_stats;
  points integer := 0;
  finished jsonb;
  earned jsonb;
  told jsonb;
begin
  if place.kind = 'quiz' and not exists (
    select 1 from public.quiz_attempts
    where user_id = student and lesson_id = lesson and is_passed
  ) then
    raise exception 'QUIZ_NOT_PASSED' using errcode = 'P0001';
  end if;
  if seconds > 0 then
    perform private.credit_time(student, lesson, seconds, null);
  end if;
  select least(time_spent_seconds, place.time_cap_seconds) into spent
  from public.lesson_progress where user_id = student and lesson_id = lesson;
  spent := coalesce(spent, 0);

  insert into public.lesson_completions (user_id, lesson_id, time_spent_seconds)
  values (student, lesson, spent)
  on conflict do nothing;
  is_new := found;
  counted := private.count_course(student, place.course_id, place.module_id);
  if counted.module_required > 0 and counted.module_done = counted.module_required then
    insert into public.module_completions (user_id, module_id)
    values (student, place.module_id)
    on conflict do nothing;
    has_module := found;
  end if;

  if is_new then
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    where id = place.enrollment_id and status = 'active';
    stats := private.count_lesson(student, spent);
    points := private.award_points(student, jsonb_build_array(jsonb_build_object(
      'course', place.course_id,
      'reason', 'time',
      'subject', lesson,
      'tenths', stats.total_time_spent - (stats.time_spent_seconds - spent) / 60
    )));
  end if;
  if counted.required > 0 and counted.done = counted.required and place.status = 'active' then
    finished := private.finish_course(student, place.course_id);
    points := points + (finished ->> 'points')::integer;
  end if;
  if is_new or finished is not null then
    earned := private.earn_achievements(student);
    points := points + (earned ->> 'points')::integer;
  end if;
  told := private.completion_json(student, place, counted);
  if earned is not null then
    perform private.tell_completion(student, place, told, is_new, has_module, finished, earned, points);
  end if;
  return told
    || jsonb_build_object(
      'isNew', is_new,
      'isModuleCompleted', has_module,
      'isCourseCompleted', finished is not null,
      'certificate', finished -> 'certificate',
      'achievements', coalesce(earned -> 'achievements', '[]'),
      'points', round(points / 10.0, 1)
    );
end;
$$;

-- The same, for whoever is signed in. One call is the whole of it.
create or replace function public.complete_lesson(lesson_id uuid, seconds integer default 0)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if auth.uid() is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  return private.complete_lesson_for(auth.uid(), complete_lesson.lesson_id, complete_lesson.seconds);
end;
$$;
grant execute on function public.complete_lesson(uuid, integer) to authenticated;
