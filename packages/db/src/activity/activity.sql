-- What a student did goes to the staff of the course, at once.
create or replace function private.tell_student_activity() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'course:' || inserted.course_id || ':staff',
        'event', 'activity.created',
        'payload', jsonb_build_object(
          'activity', jsonb_build_object(
            'id', inserted.id,
            'type', inserted.activity_type,
            'userId', inserted.user_id,
            'studentName', private.display_name(users.first_name, users.last_name),
            'createdAt', private.iso_time(inserted.created_at),
            'data', inserted.data
          )
        )
      )::text,
      ',' order by inserted.created_at, inserted.id
    )
    from inserted
    join public.users on users.id = inserted.user_id
  ));
  return null;
end;
$$;

create or replace trigger tell_student_activity
after insert on public.student_activity
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_student_activity();

-- Writes what students did into the feeds of the courses, and notifies every instructor of each.
-- The four arrays hold one happening per place; `sentence` has two places: the student's name and
-- the course's title.
create or replace function private.tell_instructors(
  kind text,
  activity text,
  title text,
  sentence text,
  entity_type text,
  students uuid[],
  course_ids uuid[],
  entities uuid[],
  details jsonb[]
)
returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, course_id, activity, detail
  from unnest(students, course_ids, details) as happening (student, course_id, detail);

  perform private.queue_live('homeroom.notifications', (
    select string_agg(
      jsonb_build_object(
        'user_id', instructor.user_id,
        'type', kind,
        'title', tell_instructors.title,
        'message', format(sentence, student_name, course.title),
        'course_id', course.id,
        'related_entity_type', entity_type,
        'related_entity_id', happening.entity,
        'data', happening.detail || jsonb_build_object(
          'course_id', course.id,
          'course_title', course.title,
          'student_id', happening.student,
          'student_name', student_name
        )
      )::text,
      ',' order by happening.position
    )
    from unnest(students, course_ids, entities, details) with ordinality
      as happening (student, course_id, entity, detail, position)
    join public.courses as course on course.id = happening.course_id
    join public.users as student on student.id = happening.student
    join public.course_instructors as instructor on instructor.course_id = happening.course_id
    cross join lateral private.display_name(student.first_name, student.last_name) as student_name
    where instructor.user_id <> happening.student
  ));
end;
$$;
