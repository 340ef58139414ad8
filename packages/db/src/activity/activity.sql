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
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_student_activity();

-- Writes what students did into the feeds of the courses, tells it there, and notifies every
-- instructor of each. The four arrays hold one happening per place; `sentence` has two places: the
-- student's name and the course's title. Where `enrolled_at` is given, the students hear of their
-- enrollment, too, on all their devices. All in one statement, with lookups by key rather than joins:
-- for the one happening of an everyday transaction, starting a statement costs more than what it does.
create or replace function private.tell_instructors(
  kind text,
  activity text,
  title text,
  sentence text,
  entity_type text,
  students uuid[],
  course_ids uuid[],
  entities uuid[],
  details jsonb[],
  enrolled_at timestamptz[] default null
)
returns void
language plpgsql
as $$
declare
  welcomes text;
  events text;
  intents text;
  setting text := set_config('homeroom.telling', 'by hand', true);
begin
  with happened as materialized (
    select
      gen_random_uuid() as id,
      happening.*,
      (
        select private.display_name(first_name, last_name) from public.users
        where users.id = happening.student
      ) as student_name,
      (
        select courses.title from public.courses
        where courses.id = happening.course
      ) as course_title
    from unnest(students, course_ids, entities, details, enrolled_at)
      as happening (student, course, entity, detail, enrollment)
  ), recorded as (
    insert into public.student_activity (id, user_id, course_id, activity_type, data, created_at)
    select id, student, course, activity, detail, now() from happened
  )
  select
    string_agg(
      json_build_object(
        'topic', 'user:' || student,
        'event', 'enrollment.created',
        'payload', json_build_object(
          'courseId', course,
          'courseTitle', course_title,
          'enrolledAt', private.iso_time(enrollment)
        )
      )::text,
      ','
    ) filter (where enrollment is not null),
    string_agg(
      json_build_object(
        'topic', 'course:' || course || ':staff',
        'event', 'activity.created',
        'payload', json_build_object(
          'activity', json_build_object(
            'id', id,
            'type', activity,
            'userId', student,
            'studentName', student_name,
            'createdAt', private.iso_time(now()),
            'data', detail
          )
        )
      )::text,
      ','
    ),
    string_agg(
      (
        select string_agg(
          json_build_object(
            'user_id', instructors.user_id,
            'type', kind,
            'title', tell_instructors.title,
            'message', format(sentence, student_name, course_title),
            'course_id', course,
            'related_entity_type', entity_type,
            'related_entity_id', entity,
            'data', detail || jsonb_build_object(
              'course_id', course,
              'course_title', course_title,
              'student_id', student,
              'student_name', student_name
            )
          )::text,
          ','
        )
        from public.course_instructors as instructors
        where instructors.course_id = course and instructors.user_id <> student
      ),
      ','
    )
  into welcomes, events, intents
  from happened;
  setting := set_config('homeroom.telling', '', true);
  setting := private.queue_live('homeroom.events', concat_ws(',', welcomes, events));
  setting := private.queue_live('homeroom.notifications', intents);
end;
$$;
