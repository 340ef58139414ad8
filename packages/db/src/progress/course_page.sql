-- How far the caller is in a course, and in each lesson that they have done or tried. Raises
-- ENROLLMENT_REQUIRED. One statement, so that it is of one moment with the topic's number beside it.
create or replace function public.course_progress(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  student uuid := auth.uid();
  progress jsonb;
begin
  select
    private.progress_json(
      enrollment, course.version, private.count_course(student, course.id, null)
    ) || jsonb_build_object(
      'courseId', course.id,
      'enrolledAt', private.iso_time(enrollment.enrolled_at),
      'lessons', private.lesson_states(student, course.id),
      'completedModuleIds', coalesce((
        select jsonb_agg(module.id order by module.id)
        from public.modules as module
        join public.module_completions as done
          on done.module_id = module.id and done.user_id = student
        where module.course_id = course.id
      ), '[]'),
      'certificate', (
        select private.certificate_json(certificate)
        from public.certificates as certificate
        where certificate.user_id = student and certificate.course_id = course.id
      )
    )
  into progress
  from public.enrollments as enrollment
  join public.courses as course on course.id = enrollment.course_id
  where enrollment.user_id = student
    and enrollment.course_id = course_progress.course_id
    and enrollment.status <> 'cancelled';
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return progress;
end;
$$;
grant execute on function public.course_progress(uuid) to authenticated;

-- A student's state in each lesson of a course that they have done or tried: all that events tell.
create or replace function private.lesson_states(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'lessonId', lesson.id,
        'completedAt', private.iso_time(done.completed_at),
        'attempts', coalesce(progress.attempts, 0),
        'bestScore', progress.best_score
      )
      order by lesson.id
    ),
    '[]'
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  left join public.lesson_completions as done
    on done.lesson_id = lesson.id and done.user_id = student
  left join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course
    and (done.lesson_id is not null or progress.attempts > 0);
$$;

-- The students of a course, the newest enrollment first, after a place in that order (null: from the
-- first). For its staff; raises COURSE_NOT_FOUND for others.
create or replace function public.course_roster(
  course_id uuid,
  before timestamptz,
  before_id uuid,
  most integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.check_author(course_roster.course_id);
  return (
    select coalesce(
      jsonb_agg(private.roster_row(page) order by page.enrolled_at desc, page.id desc), '[]'
    )
    from (
      select *
      from public.enrollments as enrollment
      where enrollment.course_id = course_roster.course_id
        and enrollment.status <> 'cancelled'
        and (
          course_roster.before is null
          or (enrollment.enrolled_at, enrollment.id) < (course_roster.before, course_roster.before_id)
        )
      order by enrollment.enrolled_at desc, enrollment.id desc
      limit most
    ) as page
  );
end;
$$;
grant execute on function public.course_roster(uuid, timestamptz, uuid, integer) to authenticated;

-- A student in the roster of a course.
create or replace function private.roster_row(enrollment public.enrollments) returns jsonb
language sql stable
as $$
  select private.progress_json(
    enrollment, null, private.count_course(enrollment.user_id, enrollment.course_id, null)
  ) || jsonb_build_object(
    'enrollmentId', enrollment.id,
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'certificate', (
      select private.certificate_json(certificate)
      from public.certificates as certificate
      where certificate.user_id = enrollment.user_id
        and certificate.course_id = enrollment.course_id
    )
  ) || private.roster_scores(enrollment.user_id, enrollment.course_id) || (
    select jsonb_build_object(
      'lastActiveAt', private.iso_time(max(done.completed_at)),
      'timeSpentSeconds', coalesce(sum(progress.time_spent_seconds), 0)
    )
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = enrollment.user_id
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = enrollment.user_id
    where module.course_id = enrollment.course_id
  )
  from public.users as person
  where person.id = enrollment.user_id;
$$;
