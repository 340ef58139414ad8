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
language plpgsql
as $$
declare
  intents text[] := '{}';
  student_name text;
  course_title text;
  message text;
  detail jsonb;
  instructor uuid;
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, course_id, activity, happening.detail
  from unnest(students, course_ids, details) as happening (student, course_id, detail);

  -- A loop of lookups by key: for the one happening of an everyday transaction, starting a join of
  -- five would cost more than all of them.
  for happening in 1 .. cardinality(students) loop
    select private.display_name(first_name, last_name) into student_name
    from public.users where id = students[happening];
    select courses.title into course_title
    from public.courses where id = course_ids[happening];
    message := format(sentence, student_name, course_title);
    detail := details[happening] || jsonb_build_object(
      'course_id', course_ids[happening],
      'course_title', course_title,
      'student_id', students[happening],
      'student_name', student_name
    );
    for instructor in
      select user_id from public.course_instructors
      where course_id = course_ids[happening] and user_id <> students[happening]
    loop
      intents := intents || jsonb_build_object(
        'user_id', instructor,
        'type', kind,
        'title', title,
        'message', message,
        'course_id', course_ids[happening],
        'related_entity_type', entity_type,
        'related_entity_id', entities[happening],
        'data', detail
      )::text;
    end loop;
  end loop;
  perform private.queue_live('homeroom.notifications', nullif(array_to_string(intents, ','), ''));
end;
$$;
