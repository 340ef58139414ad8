/**
 * An enrollment and every row that follows from it, by one statement without triggers: what the rows
 * cost, about the floor of anything that writes them. It is not safe (who waits for a head has an old
 * snapshot, and merges wrongly), and it can do this one thing only.
 */
export const BY_HAND = `
with enrolled as (
  insert into bench_enrollments_by_hand (user_id, course_id)
  values ($1, $2)
  -- The triggers of what is written below stay silent.
  returning *, set_config('homeroom.telling', 'by hand', true)
), happened as materialized (
  select
    enrolled.id, student.id as student, course.id as course, course.title,
    student.first_name as name, teaching.user_id as teacher,
    private.iso_time(enrolled_at) as moment
  from enrolled
  join public.users as student on student.id = enrolled.user_id
  join public.courses as course on course.id = enrolled.course_id
  join public.course_instructors as teaching on teaching.course_id = course.id
), activity as (
  insert into public.student_activity (user_id, course_id, activity_type)
  select student, course, 'enrolled' from happened
  returning id
), merged as (
  update public.notifications as earlier
  set
    count = earlier.count + 1,
    title = 'New students enrolled',
    message = earlier.count + 1 || ' students enrolled in "' || happened.title || '"',
    data = data || jsonb_build_object('student_id', student, 'student_name', name),
    related_entity_id = happened.id
  from happened
  where user_id = teacher and box = 'inbox' and read_at is null
    and listed_at > now() - interval '1 minute'
    and course_id = course and type = 'enrollment'
  returning user_id, private.notification_json(earlier) as notification
), first as (
  insert into public.notifications (user_id, type, title, message, data, course_id)
  select
    teacher, 'enrollment', 'New Student Enrolled', 'Someone enrolled in "' || title || '"',
    jsonb_build_object(
      'course_id', course, 'course_title', title, 'student_id', student, 'student_name', name
    ),
    course
  from happened where not exists (select from merged)
  returning user_id, private.notification_json(notifications) as notification
), told as materialized (
  select gen_random_uuid() as id, topic, event, payload
  from (
    select
      'user:' || student as topic, 'enrollment.created' as event,
      jsonb_build_object('courseId', course, 'courseTitle', title, 'enrolledAt', moment) as payload
    from happened
    union all
    select 'course:' || course || ':staff', 'activity.created', jsonb_build_object(
      'activity', jsonb_build_object(
        'id', activity.id, 'type', 'enrolled', 'userId', student, 'studentName', name,
        'createdAt', moment, 'data', '{}'::jsonb
      )
    )
    from happened, activity
    union all
    select 'user:' || user_id, 'notification.updated', jsonb_build_object(
      'notification', notification, 'unreadDelta', 0
    )
    from (select * from merged union all select * from first) as written
  ) as event
), head as (
  insert into private.live_topics as head (topic, seq)
  select topic, 1 from told order by topic collate "C"
  on conflict (topic) do update set seq = head.seq + 1
  returning topic, seq
), stored as (
  insert into private.live_events (topic, seq, event, payload, created_at)
  select topic, seq, event, payload, clock_timestamp() from told join head using (topic)
)
insert into realtime.messages (id, topic, extension, event, payload, private)
select
  id, topic, 'broadcast', event,
  jsonb_build_object(
    'id', id, 'seq', seq, 'at', private.epoch_ms(clock_timestamp()), 'data', payload
  ),
  true
from told
join head using (topic)`;
