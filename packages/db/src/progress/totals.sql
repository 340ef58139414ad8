-- Counts time in a lesson: never more than has gone by since this student last reported any (two
-- tabs can't count the same minute), two minutes for a first report, and nothing beyond an hour. In
-- which place of the lesson they are is kept with it; null leaves it. Gives the seconds credited.
create or replace function private.credit_time(
  student uuid,
  lesson uuid,
  seconds integer,
  place real
)
returns integer
language plpgsql
as $$
declare
  elapsed integer;
  credited integer;
begin
  insert into public.learning_stats (user_id) values (student) on conflict do nothing;
  select ceil(extract(epoch from clock_timestamp() - time_reported_at)) into elapsed
  from public.learning_stats where user_id = student
  for no key update;
  credited := greatest(least(seconds, coalesce(elapsed, 120), 3600), 0);
  update public.learning_stats set time_reported_at = clock_timestamp() where user_id = student;
  insert into public.lesson_progress as progress (user_id, lesson_id, time_spent_seconds, place)
  values (student, lesson, credited, coalesce(credit_time.place, 0))
  on conflict (user_id, lesson_id) do update
  set
    time_spent_seconds = progress.time_spent_seconds + credited,
    place = coalesce(credit_time.place, progress.place);
  return credited;
end;
$$;

-- Counts a lesson done: one more, the time in it, and the day in the student's own time zone.
create or replace function private.count_lesson(student uuid, seconds integer)
returns public.learning_stats
language plpgsql
as $$
declare
  today date := (
    select (now() at time zone users.time_zone)::date from public.users where id = student
  );
  streak integer;
  stats public.learning_stats;
begin
  select
    case
      when last_active_day >= today then current_streak_days
      when last_active_day = today - 1 then current_streak_days + 1
      else 1
    end
  into streak
  from public.learning_stats where user_id = student
  for no key update;
  streak := coalesce(streak, 1);
  insert into public.learning_stats as earlier (
    user_id, lessons_completed, time_spent_seconds, total_time_spent, current_streak_days,
    longest_streak_days, last_active_day, last_active_at
  )
  values (student, 1, seconds, seconds / 60, streak, streak, today, now())
  on conflict (user_id) do update
  set
    lessons_completed = earlier.lessons_completed + 1,
    time_spent_seconds = earlier.time_spent_seconds + seconds,
    total_time_spent = (earlier.time_spent_seconds + seconds) / 60,
    current_streak_days = streak,
    longest_streak_days = greatest(earlier.longest_streak_days, streak),
    last_active_day = greatest(earlier.last_active_day, today),
    last_active_at = now()
  returning * into stats;
  return stats;
end;
$$;

-- Finishes a course for a student who has done all that counts: the enrollment, one certificate, the
-- totals and the points. The caller has the enrollment locked and tells of it. What was written once
-- stays: a second time changes nothing. Gives `{ certificate: { id, serialNumber, issuedAt },
-- points }`, points in tenths.
create or replace function private.finish_course(student uuid, course uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  certificate public.certificates;
  is_new boolean;
  points integer;
begin
  update public.enrollments
  set
    status = 'completed',
    progress = 100,
    completed_at = coalesce(completed_at, now()),
    course_version = (select version from public.courses where id = course),
    required_count = (select count(*) from private.required_lessons(course))
  where user_id = student and course_id = course and status = 'active';
  insert into public.certificates (user_id, course_id)
  values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into certificate;
  is_new := found;
  if not is_new then
    select * into certificate from public.certificates
    where user_id = student and course_id = course;
  end if;
  insert into public.learning_stats as stats (user_id, courses_completed, certificates_earned)
  values (student, 1, is_new::integer)
  on conflict (user_id) do update
  set
    courses_completed = stats.courses_completed + 1,
    certificates_earned = stats.certificates_earned + is_new::integer;
  points := private.award_points(student, jsonb_build_array(
    jsonb_build_object('course', course, 'reason', 'course', 'subject', course, 'tenths', 1000),
    jsonb_build_object(
      'course', course, 'reason', 'certificate', 'subject', certificate.id, 'tenths', 500
    )
  ));
  return jsonb_build_object(
    'certificate', private.certificate_json(certificate), 'points', points
  );
end;
$$;

create or replace trigger touch_updated_at
before update on public.lesson_progress
for each row execute function private.touch_updated_at();
