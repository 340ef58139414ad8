-- How well a student does in the quizzes of a course: what the roster shows, and its event tells.
create or replace function private.roster_scores(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'averageScore', round(avg(progress.best_score), 2),
    'quizzes', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'lessonId', lesson.id,
          'title', lesson.title,
          'bestScore', progress.best_score,
          'attempts', progress.attempts
        )
        order by module.position, lesson.position
      ),
      '[]'
    )
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course and progress.best_score is not null;
$$;

-- A quiz was scored: the staff's roster shows how the student does now.
create or replace function private.tell_roster_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid := (
    select modules.course_id
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where lessons.id = new.lesson_id
  );
begin
  perform private.publish(
    'course:' || course || ':staff',
    'scores.changed',
    jsonb_build_object('userId', new.user_id) || private.roster_scores(new.user_id, course)
  );
  return null;
end;
$$;

create or replace trigger tell_roster_scores
after update of attempts on public.lesson_progress
for each row
when (
  old.attempts <> new.attempts
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_scores();

-- Somebody is no longer, or again, among the students of a course. (Of a new enrollment the feed
-- tells.)
create or replace function private.tell_roster_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || old.course_id || ':staff',
    'enrollment.changed',
    jsonb_build_object(
      'userId', old.user_id,
      'isEnrolled', tg_op = 'UPDATE' and new.status <> 'cancelled'
    )
  );
  return null;
end;
$$;

create or replace trigger tell_roster_cancelled
after update of status on public.enrollments
for each row
when (
  (old.status = 'cancelled') <> (new.status = 'cancelled')
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();

create or replace trigger tell_roster_deleted
after delete on public.enrollments
for each row
when (
  old.status <> 'cancelled'
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();
