-- How far a student is in a course, with the reason. Who has finished is as far as they were then.
create or replace function private.progress_json(
  enrollment public.enrollments,
  version integer,
  counted private.course_count
)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseVersion', coalesce(enrollment.course_version, version),
    'status', enrollment.status,
    'doneCount', coalesce(enrollment.required_count, counted.done),
    'requiredCount', coalesce(enrollment.required_count, counted.required),
    'progressPercent', enrollment.progress,
    'completedAt', private.iso_time(enrollment.completed_at)
  );
$$;

-- What a completion gives back to who asked for it, and what `lesson.completed` tells. (In
-- plpgsql, as all here that reads rows and runs with every completion: Postgres 17 plans the
-- statements of an SQL function anew for each call, which costs more than they do.)
create or replace function private.completion_json(
  student uuid,
  place private.lesson_place,
  counted private.course_count
)
returns jsonb
language plpgsql stable
as $$
declare
  enrollment public.enrollments;
  completed_at timestamptz;
begin
  select * into enrollment from public.enrollments where id = place.enrollment_id;
  select done.completed_at into completed_at
  from public.lesson_completions as done
  where done.user_id = student and done.lesson_id = place.lesson_id;
  return jsonb_build_object(
    'courseId', place.course_id,
    'moduleId', place.module_id,
    'lessonId', place.lesson_id,
    'completedAt', private.iso_time(completed_at),
    'progress', private.progress_json(enrollment, place.course_version, counted)
  );
end;
$$;

drop function if exists private.tell_completion(
  uuid, private.lesson_place, jsonb, boolean, jsonb, jsonb, integer
);
-- Tells of a completion (`told` is its JSON): the student's devices, the staff of the course with its
-- feed, where the lesson is new in it, and the student once, about the greatest of what the click has
-- brought.
create or replace function private.tell_completion(
  student uuid,
  place private.lesson_place,
  told jsonb,
  is_new boolean,
  has_module boolean,
  finished jsonb,
  earned jsonb,
  points integer
)
returns void
language plpgsql
as $$
declare
  achievements jsonb := earned -> 'achievements';
  student_name text := (
    select private.display_name(first_name, last_name) from public.users where id = student
  );
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, place.course_id, what, data
  from (values
    ('completed_lesson', is_new, jsonb_build_object(
      'lesson_id', place.lesson_id, 'lesson_title', place.lesson_title
    )),
    ('completed_module', has_module, jsonb_build_object(
      'module_id', place.module_id, 'module_title', place.module_title
    ))
  ) as happened (what, is_so, data)
  where is_so;

  perform private.publish('user:' || student, 'lesson.completed', told || jsonb_build_object(
    'isModuleCompleted', has_module,
    'certificate', finished -> 'certificate',
    'points', round(points / 10.0, 1)
  ));
  perform private.publish(
    'course:' || place.course_id || ':staff',
    'progress.changed',
    told -> 'progress' || jsonb_build_object(
      'userId', student,
      'studentName', student_name,
      'lastActiveAt', told -> 'completedAt'
    )
  );
  if finished is not null then
    perform private.tell_course_finished(
      student, place.course_id, finished || jsonb_build_object('achievements', achievements)
    );
  elsif achievements <> '[]' then
    perform private.tell_achievements(student, place.course_id, achievements);
  else
    perform private.tell_lesson(student, place, has_module);
  end if;
end;
$$;

-- The notification of a lesson, or of the module that it was the last one of.
create or replace function private.tell_lesson(
  student uuid,
  place private.lesson_place,
  has_module boolean
)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'lesson_completion',
    'level', 'success',
    'title', case when has_module then 'Module Completed!' else 'Lesson Completed!' end,
    'message', case
      when has_module then format(
        'Great job! "%s" was the last lesson of "%s".', place.lesson_title, place.module_title
      )
      else format('Great job! You''ve completed "%s".', place.lesson_title)
    end,
    'course_id', place.course_id,
    'related_entity_type', 'lesson',
    'related_entity_id', place.lesson_id,
    'dedupe_key', 'lesson:' || place.lesson_id,
    'data', jsonb_build_object(
      'course_id', place.course_id,
      'course_title', place.course_title,
      'lesson_id', place.lesson_id,
      'lesson_title', place.lesson_title
    )
  )));
end;
$$;

-- Tells a student that they have finished a course: the event of the certificate, and one
-- notification, with the achievements that came with it. `finished` is what `finish_course` gave.
-- (The instructors hear of it from the enrollment's own trigger.)
create or replace function private.tell_course_finished(student uuid, course uuid, finished jsonb)
returns void
language plpgsql
as $$
declare
  certificate jsonb := finished -> 'certificate';
  achievements jsonb := coalesce(finished -> 'achievements', '[]');
  course_title text := (select title from public.courses where id = course);
begin
  perform private.publish('user:' || student, 'certificate.issued', jsonb_build_object(
    'certificate', certificate || jsonb_build_object('courseTitle', course_title)
  ));
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'certificate',
    'level', 'success',
    'title', 'Course Completed!',
    'message', format(
      'Congratulations! You''ve completed "%s", and your certificate is ready.', course_title
    ) || case
      when achievements = '[]' then ''
      else ' Unlocked: ' || private.titles_of(achievements) || '.'
    end,
    'course_id', course,
    'related_entity_type', 'certificate',
    'related_entity_id', certificate ->> 'id',
    'dedupe_key', 'course:' || course,
    'data', jsonb_build_object(
      'course_id', course,
      'course_title', course_title,
      'serial_number', certificate ->> 'serialNumber',
      'achievements', achievements
    )
  )));
end;
$$;

-- "First step, Well read": the titles of achievements.
create or replace function private.titles_of(achievements jsonb) returns text
language sql immutable
as $$
  select string_agg(value ->> 'title', ', ' order by position)
  from jsonb_array_elements(achievements) with ordinality as achievement (value, position);
$$;

-- The notification of achievements that nothing greater came with.
create or replace function private.tell_achievements(student uuid, course uuid, achievements jsonb)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'achievement',
    'level', 'success',
    'title', 'Achievement Unlocked!',
    'message', case jsonb_array_length(achievements)
      when 1 then format('You''ve unlocked the "%s" achievement!', achievements -> 0 ->> 'title')
      else format('You''ve unlocked: %s.', private.titles_of(achievements))
    end,
    'course_id', course,
    'related_entity_type', 'achievement',
    'dedupe_key', 'achievement:' || (achievements -> 0 ->> 'key'),
    'data', jsonb_build_object('achievements', achievements)
  )));
end;
$$;
