set check_function_bodies = off;

CREATE TABLE "private"."subscription_events" (
	"provider" text NOT NULL,
	"id" text NOT NULL,
	"reference" text NOT NULL,
	"type" text NOT NULL,
	"rank" smallint NOT NULL,
	"happened_at" timestamp with time zone NOT NULL,
	"told" jsonb NOT NULL,
	"outcome" text NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscription_events_once_each" PRIMARY KEY("provider","id"),
	CONSTRAINT "subscription_events_have_a_known_outcome" CHECK (outcome in ('recorded', 'unmatched'))
);

ALTER TABLE "private"."subscription_events" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "course_activity_hours" ADD COLUMN "quarter" smallint DEFAULT 0 NOT NULL;

ALTER TABLE "subscriptions" ADD COLUMN "renews_automatically" boolean DEFAULT false NOT NULL;

CREATE INDEX "subscription_events_of_subscription" ON "private"."subscription_events" USING btree ("provider","reference","happened_at");

ALTER TABLE "course_activity_hours" DROP CONSTRAINT "course_activity_hours_once_per_kind";

ALTER TABLE "course_activity_hours" ADD CONSTRAINT "course_activity_hours_once_per_kind" PRIMARY KEY("course_id","activity_type","hour","quarter","currency");

ALTER TABLE "course_activity_hours" ADD CONSTRAINT "course_activity_hours_have_four_quarters" CHECK (quarter between 0 and 3);

-- >>> activity/moves.sql
-- What moves the figures of a course without being an activity of a student's (stats.sql): told to
-- the staff as differences.
create or replace function private.tell_stats(course uuid, delta jsonb) returns void
language plpgsql
as $$
begin
  if course is not null then
    perform private.publish(private.staff_topic(course), 'stats.changed', delta);
  end if;
end;
$$;

create or replace function private.after_enrollment_erased() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_stats(course_id, jsonb_build_object(
    'enrolled', -count(*), 'completed', -count(*) filter (where status = 'completed')
  ))
  from erased where status <> 'cancelled'
  group by course_id;
  return null;
end;
$$;

create or replace trigger after_enrollment_erased
after delete on public.enrollments
referencing old table as erased
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment_erased();

create or replace function private.after_review_changed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'ratingCount', -1, 'ratingSum', -old.rating
    ));
  else
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'ratingSum', new.rating - old.rating
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_review_changed
after update of rating on public.course_reviews
for each row
when (new.rating <> old.rating and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

create or replace trigger after_review_removed
after delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

-- A payment given back, or removed; and one that counts without being told as an activity.
create or replace function private.after_payment_moved() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.status = 'succeeded' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'currency', old.currency, 'cents', -old.amount_cents
    ));
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.status = 'succeeded'
    and (old.status in ('succeeded', 'refunded') or new.user_id is null)) then
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'currency', new.currency, 'cents', new.amount_cents
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_payment_moved
after update of status, amount_cents, currency, course_id on public.payments
for each row
when ((old.status, old.amount_cents, old.currency, old.course_id)
    is distinct from (new.status, new.amount_cents, new.currency, new.course_id)
  and 'succeeded' in (old.status, new.status)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_of_nobody
after insert on public.payments
for each row
when (new.status = 'succeeded' and new.user_id is null
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_removed
after delete on public.payments
for each row
when (old.status = 'succeeded' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

-- A thread that a student opens is a question, for the feed of the course.
create or replace function private.after_question() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select
    created_by, course_id, 'asked', jsonb_build_object('thread_id', id, 'thread_title', title)
  from asked
  where created_by is not null and not private.is_course_staff(course_id, created_by);
  return null;
end;
$$;

create or replace trigger after_question
after insert on public.discussion_threads
referencing new table as asked
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_question();
-- <<< activity/moves.sql

-- >>> activity/stats.sql
-- The figures of courses (`course_stats`). Nothing is counted where it happens: whatever moves a
-- figure is told on the staff's topic, with a number and in the order of commits, so a job that
-- reads those events has counted each exactly once, and no enrollment waits for the row of its
-- course. What isn't counted yet is added when the figures are asked for, so they are exact at any
-- moment. Imported history (`homeroom.quiet`) is told nowhere: call `private.recount_courses` after it.

-- The topic of a course's staff.
create or replace function private.staff_topic(course uuid) returns text
language sql immutable
as $$
  select 'course:' || course::text || ':staff';
$$;

-- What events of a staff topic do to the figures of its course, from one number to another; `missing`
-- says that some are beyond retention, and that only counting anew helps.
create or replace function private.stats_moves(
  course uuid,
  after bigint,
  through bigint,
  out enrolled bigint,
  out completed bigint,
  out rating_count bigint,
  out rating_sum bigint,
  out revenue jsonb,
  out missing boolean
)
language plpgsql stable
as $$
begin
  with event as (
    select
      live_events.event as name,
      case live_events.event
        when 'activity.created' then payload -> 'activity'
        when 'stats.changed' then payload
      end as told
    from private.live_events
    where topic = private.staff_topic(course) and seq > after and seq <= through
  ), move as (
    select
      told ->> 'type' as type,
      told -> 'data' as data,
      case when name = 'stats.changed' then told end as delta
    from event
  ), money as (
    select currency, sum(cents) as cents
    from (
      select data ->> 'currency' as currency, (data ->> 'amount_cents')::bigint as cents
      from move where type = 'paid'
      union all
      select delta ->> 'currency', (delta ->> 'cents')::bigint
      from move where delta ? 'cents'
    ) as payment
    group by currency
  )
  select
    count(*) filter (where type = 'enrolled') + coalesce(sum((delta ->> 'enrolled')::bigint), 0),
    count(*) filter (where type = 'completed_course')
      + coalesce(sum((delta ->> 'completed')::bigint), 0),
    count(*) filter (where type = 'reviewed')
      + coalesce(sum((delta ->> 'ratingCount')::bigint), 0),
    coalesce(sum((data ->> 'rating')::bigint) filter (where type = 'reviewed'), 0)
      + coalesce(sum((delta ->> 'ratingSum')::bigint), 0),
    coalesce((select jsonb_object_agg(currency, cents) from money), '{}'),
    count(*) < through - after
  into enrolled, completed, rating_count, rating_sum, revenue, missing
  from move;
end;
$$;

-- Amounts by currency, added up; what comes to nothing is left out.
create or replace function private.add_money(one jsonb, other jsonb) returns jsonb
language sql immutable
as $$
  select coalesce(jsonb_object_agg(currency, cents), '{}')
  from (
    select key as currency, sum(value::bigint) as cents
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as part
    group by key
    having sum(value::bigint) <> 0
  ) as total;
$$;

-- The figures of courses counted from the rows themselves, all in one snapshot.
create or replace function private.count_courses(course_ids uuid[])
returns setof public.course_stats
language plpgsql stable
as $$
begin
  return query
  select
    course.id,
    students.total::integer,
    students.completed::integer,
    reviews.number::integer,
    reviews.total::integer,
    (case when reviews.number > 0 then round(reviews.total::numeric / reviews.number, 2) end)::numeric(3, 2),
    private.online_students(course.id),
    coalesce(money.revenue, '{}'),
    private.live_cursor(private.staff_topic(course.id)),
    now(),
    now()
  from public.courses as course
  cross join lateral (
    select count(*) as total, count(*) filter (where status = 'completed') as completed
    from public.enrollments
    where course_id = course.id and status <> 'cancelled'
  ) as students
  cross join lateral (
    select count(*) as number, coalesce(sum(rating), 0) as total
    from public.course_reviews where course_id = course.id
  ) as reviews
  cross join lateral (
    select jsonb_object_agg(currency, cents) as revenue
    from (
      select currency, sum(amount_cents) as cents
      from public.payments
      where course_id = course.id and status = 'succeeded'
      group by currency
      having sum(amount_cents) <> 0
    ) as by_currency
  ) as money
  where course.id = any (course_ids);
end;
$$;

-- How many students of a course are in it now.
create or replace function private.online_students(course uuid) returns integer
language sql stable
as $$
  select count(*)::integer
  from private.presence_leases as lease
  where topic = 'course:' || course::text and exists (
    select 1 from public.enrollments
    where user_id = lease.user_id and course_id = course and status <> 'cancelled'
  );
$$;

-- The figures as they are at this moment: what is counted, and the events since.
create or replace function private.stats_now(course_ids uuid[])
returns setof public.course_stats
language plpgsql stable
as $$
begin
  return query
  select
    kept.course_id,
    (kept.total_enrollments + moves.enrolled)::integer,
    (kept.completed_count + moves.completed)::integer,
    (kept.rating_count + moves.rating_count)::integer,
    (kept.rating_sum + moves.rating_sum)::integer,
    (case
      when kept.rating_count + moves.rating_count > 0
        then round((kept.rating_sum + moves.rating_sum)::numeric / (kept.rating_count + moves.rating_count), 2)
    end)::numeric(3, 2),
    kept.online_students,
    private.add_money(kept.revenue, moves.revenue),
    head.seq,
    kept.hours_counted_at,
    kept.updated_at
  from public.course_stats as kept
  cross join lateral (
    select greatest(kept.counted_seq, private.live_cursor(private.staff_topic(kept.course_id))) as seq
  ) as head
  cross join lateral private.stats_moves(kept.course_id, kept.counted_seq, head.seq) as moves
  where kept.course_id = any (course_ids) and not moves.missing
  union all
  -- New, or not counted for longer than events are kept.
  select counted.*
  from private.count_courses(array(
    select id from unnest(course_ids) as id
    where not exists (
      select 1 from public.course_stats as kept
      cross join lateral private.stats_moves(
        id, kept.counted_seq, greatest(kept.counted_seq, private.live_cursor(private.staff_topic(id)))
      ) as moves
      where kept.course_id = id and not moves.missing
    )
  )) as counted;
end;
$$;

-- The figures as JSON, for the API and for events.
create or replace function private.stats_json(stats public.course_stats) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseId', stats.course_id,
    'totalEnrollments', stats.total_enrollments,
    'completedCount', stats.completed_count,
    'ratingCount', stats.rating_count,
    'ratingSum', stats.rating_sum,
    'averageRating', stats.average_rating,
    'onlineStudents', stats.online_students,
    'revenue', stats.revenue
  );
$$;

-- The figures of those of the named courses that the caller teaches.
create or replace function public.course_stats_live(course_ids uuid[]) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_agg(private.stats_json(stats) order by stats.course_id)
    from private.stats_now(array(
      select id from unnest(course_ids) as id where id in (select private.taught_course_ids())
    )) as stats
  ), '[]');
end;
$$;
grant execute on function public.course_stats_live(uuid[]) to authenticated;

-- Counts courses from their rows, and their hours too: after an import, and when figures differ.
create or replace function private.recount_courses(course_ids uuid[] default null) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  wanted uuid[] := coalesce(course_ids, array(select id from public.courses));
  recounted integer;
begin
  insert into public.course_stats as stats (
    course_id, total_enrollments, completed_count, rating_count, rating_sum, online_students,
    revenue, counted_seq
  )
  select
    course_id, total_enrollments, completed_count, rating_count, rating_sum, online_students,
    revenue, counted_seq
  from private.count_courses(wanted)
  on conflict (course_id) do update
  set
    total_enrollments = excluded.total_enrollments,
    completed_count = excluded.completed_count,
    rating_count = excluded.rating_count,
    rating_sum = excluded.rating_sum,
    online_students = excluded.online_students,
    revenue = excluded.revenue,
    counted_seq = excluded.counted_seq
  -- Somebody else's count that is newer stays.
  where stats.counted_seq <= excluded.counted_seq;
  get diagnostics recounted = row_count;
  delete from public.course_activity_hours where course_id = any (wanted);
  perform private.count_hours(wanted, '-infinity');
  return recounted;
end;
$$;

-- Counts the activity of courses by quarter of an hour, from the hour of a moment on.
create or replace function private.count_hours(course_ids uuid[], since timestamptz) returns void
language plpgsql
as $$
begin
  insert into public.course_activity_hours as counted (
    course_id, activity_type, hour, quarter, currency, count, amount
  )
  select
    course_id,
    activity_type,
    date_trunc('hour', created_at, 'UTC'),
    extract(minute from created_at at time zone 'UTC')::integer / 15,
    case activity_type when 'paid' then coalesce(data ->> 'currency', '') else '' end,
    count(*),
    coalesce(sum(case activity_type
      when 'paid' then (data ->> 'amount_cents')::bigint
      when 'reviewed' then (data ->> 'rating')::bigint
    end), 0)
  from public.student_activity
  where course_id = any (course_ids)
    and created_at >= case when since = '-infinity' then since else date_trunc('hour', since, 'UTC') end
  group by 1, 2, 3, 4, 5
  on conflict (course_id, activity_type, hour, quarter, currency) do update
  set count = excluded.count, amount = excluded.amount
  where (counted.count, counted.amount) is distinct from (excluded.count, excluded.amount);
end;
$$;

-- Counts what has happened since, in the courses in which something has, and tells their
-- instructors, each on their own topic: at most once in two seconds, however much it is. Gives the
-- number of courses. Run every two seconds; what runs at the same time leaves the others' courses.
create or replace function private.count_course_stats() returns integer
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  moved uuid[];
  behind uuid[];
  online uuid[];
begin
  perform private.recount_courses(fresh.ids)
  from (
    select array_agg(id) as ids from public.courses
    where not exists (select 1 from public.course_stats where course_id = id)
  ) as fresh
  where fresh.ids is not null;
  select array_agg(course_id) into moved
  from (
    select stats.course_id
    from public.course_stats as stats
    left join private.live_topics as head on head.topic = private.staff_topic(stats.course_id)
    where (head.seq > stats.counted_seq and exists (
        select 1 from private.live_events
        where topic = head.topic and seq > stats.counted_seq and event <> 'stats.online'
      ))
      or stats.online_students <> private.online_students(stats.course_id)
    order by stats.course_id
    for no key update of stats skip locked
  ) as locked;
  if moved is null then
    return 0;
  end if;
  select array_agg(stats.course_id) into behind
  from public.course_stats as stats
  cross join lateral private.stats_moves(
    stats.course_id,
    stats.counted_seq,
    greatest(stats.counted_seq, private.live_cursor(private.staff_topic(stats.course_id)))
  ) as moves
  where stats.course_id = any (moved) and moves.missing;
  perform private.recount_courses(behind) where behind is not null;
  select array_agg(course_id) into online
  from public.course_stats
  where course_id = any (moved) and online_students <> private.online_students(course_id);
  update public.course_stats as stats
  set
    total_enrollments = fresh.total_enrollments,
    completed_count = fresh.completed_count,
    rating_count = fresh.rating_count,
    rating_sum = fresh.rating_sum,
    revenue = fresh.revenue,
    counted_seq = fresh.counted_seq,
    online_students = private.online_students(stats.course_id)
  from private.stats_now(moved) as fresh
  where stats.course_id = fresh.course_id;
  -- After the figures: what is in them is there to be counted by now.
  perform private.count_hours(array[course_id], hours_counted_at - interval '1 minute')
  from public.course_stats where course_id = any (moved);
  update public.course_stats set hours_counted_at = now() where course_id = any (moved);
  perform private.publish(
    private.staff_topic(course_id),
    'stats.online',
    jsonb_build_object('onlineStudents', online_students)
  )
  from public.course_stats where course_id = any (online);
  perform private.publish(
    'user:' || teaching.user_id,
    'course_stats.changed',
    jsonb_build_object('stats', private.stats_json(stats))
  )
  from public.course_stats as stats
  join public.course_instructors as teaching using (course_id)
  where stats.course_id = any (moved);
  return cardinality(moved);
end;
$$;

-- Where the figures differ from what the rows say, at this moment; none, as it should be.
-- (`online_students` is up to two seconds late by design, and set anew each time.)
create or replace function private.check_course_stats()
returns table (course_id uuid, figure text, kept text, counted text)
language plpgsql stable
as $$
begin
  return query
  select stats.course_id, both_ways.figure, both_ways.kept, both_ways.counted
  from private.stats_now(array(select course_stats.course_id from public.course_stats)) as stats
  join private.count_courses(array(select course_stats.course_id from public.course_stats)) as rows
    on rows.course_id = stats.course_id
  cross join lateral (values
    ('total_enrollments', stats.total_enrollments::text, rows.total_enrollments::text),
    ('completed_count', stats.completed_count::text, rows.completed_count::text),
    ('rating_count', stats.rating_count::text, rows.rating_count::text),
    ('average_rating', stats.average_rating::text, rows.average_rating::text),
    ('revenue', stats.revenue::text, rows.revenue::text)
  ) as both_ways (figure, kept, counted)
  where both_ways.kept is distinct from both_ways.counted;
end;
$$;

-- Checks the figures, says what differs, and mends it. Gives how many differed. Run daily.
create or replace function private.mend_course_stats() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  difference record;
  wrong uuid[] := '{}';
  differences integer := 0;
begin
  for difference in select * from private.check_course_stats() loop
    raise warning 'course_stats of % had % of %, counted are %',
      difference.course_id, difference.kept, difference.figure, difference.counted;
    wrong := wrong || difference.course_id;
    differences := differences + 1;
  end loop;
  if differences > 0 then
    perform private.recount_courses(array(select distinct id from unnest(wrong) as id));
  end if;
  return differences;
end;
$$;
-- <<< activity/stats.sql

-- >>> attendance/triggers.sql
-- A registration for a workshop, whether it got a place or waits for one.
create or replace function private.after_workshop_registration() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(inserted.user_id),
    array_agg(workshops.course_id),
    array_agg(workshops.id),
    array_agg(jsonb_build_object(
      'workshop_id', workshops.id, 'workshop_title', workshops.title, 'status', inserted.status
    ))
  into students, courses, entities, details
  from inserted
  join public.workshops on workshops.id = inserted.workshop_id
  where inserted.status <> 'cancelled';
  if students is not null then
    perform private.tell_instructors(
      'workshop_registration', 'registered', 'New Workshop Registration',
      '%s registered for a workshop of "%s"', 'workshop', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_registration
after insert on public.workshop_registrations
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_registration();

-- Somebody has come: the feed of the course says so, each time that it is found to be so.
create or replace function private.after_workshop_check_in() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select new.user_id, course_id, 'checked_in', jsonb_build_object(
    'workshop_id', id, 'workshop_title', title
  )
  from public.workshops where id = new.workshop_id;
  return null;
end;
$$;

create or replace trigger after_workshop_check_in
after insert on public.workshop_registrations
for each row
when (new.status = 'checked_in' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();

create or replace trigger after_workshop_check_in_later
after update of status on public.workshop_registrations
for each row
when (new.status = 'checked_in' and old.status <> 'checked_in'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();
-- <<< attendance/triggers.sql

-- >>> enrollment/triggers.sql
-- A new enrollment: its course's feed and instructors hear of it, and so do the student's other
-- tabs and devices.
create or replace function private.after_enrollment() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  course_ids uuid[];
  entities uuid[];
  details jsonb[];
  told text;
  setting text;
begin
  select
    array_agg(user_id),
    array_agg(course_id),
    array_agg(id),
    array_agg('{}'::jsonb),
    string_agg(
      json_build_object(
        'topic', 'user:' || user_id,
        'event', 'enrollment.created',
        'payload', json_build_object(
          'courseId', course_id,
          'courseTitle', (select title from public.courses where courses.id = course_id),
          'enrolledAt', private.iso_time(enrolled_at)
        )
      )::text,
      ','
    )
  into students, course_ids, entities, details, told
  from inserted
  where status <> 'cancelled';
  if students is null then
    return null;
  end if;
  setting := private.tell_instructors(
    'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
    students, course_ids, entities, details, told
  );
  return null;
end;
$$;

create or replace trigger after_enrollment
after insert on public.enrollments
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment();

-- A course finished: told once, when `status` becomes `completed`. An enrollment that was cancelled
-- and begins again is told as a new one. Other changes of `status` move the figures of the course
-- (activity/stats.sql).
create or replace function private.after_course_completion() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  returned uuid[];
  returned_to uuid[];
  returns uuid[];
  returned_details jsonb[];
  told text;
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
  moves text;
begin
  select
    array_agg(after.user_id) filter (where before.status = 'cancelled'),
    array_agg(after.course_id) filter (where before.status = 'cancelled'),
    array_agg(after.id) filter (where before.status = 'cancelled'),
    array_agg('{}'::jsonb) filter (where before.status = 'cancelled'),
    string_agg(
      json_build_object(
        'topic', 'user:' || after.user_id,
        'event', 'enrollment.created',
        'payload', json_build_object(
          'courseId', after.course_id,
          'courseTitle', (select title from public.courses where courses.id = after.course_id),
          'enrolledAt', private.iso_time(after.enrolled_at)
        )
      )::text,
      ','
    ) filter (where before.status = 'cancelled'),
    array_agg(after.user_id) filter (where after.status = 'completed'),
    array_agg(after.course_id) filter (where after.status = 'completed'),
    array_agg(after.id) filter (where after.status = 'completed'),
    array_agg('{}'::jsonb) filter (where after.status = 'completed'),
    string_agg(
      json_build_object(
        'topic', 'course:' || after.course_id || ':staff',
        'event', 'stats.changed',
        'payload', json_build_object(
          'enrolled', -(after.status = 'cancelled')::integer,
          'completed', -(before.status = 'completed')::integer
        )
      )::text,
      ','
    ) filter (where before.status = 'completed' or after.status = 'cancelled')
  into
    returned, returned_to, returns, returned_details, told,
    students, courses, entities, details, moves
  from before
  join after using (id)
  where after.status <> before.status;
  if moves is not null then
    perform private.queue_live('homeroom.events', moves);
  end if;
  if returned is not null then
    perform private.tell_instructors(
      'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
      returned, returned_to, returns, returned_details, told
    );
  end if;
  if students is not null then
    perform private.tell_instructors(
      'course_completion', 'completed_course', 'Course Completed', '%s completed "%s"',
      'enrollment', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_course_completion
after update on public.enrollments
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_course_completion();
-- <<< enrollment/triggers.sql

-- >>> monitoring/minutes.sql
grant select on private.monitoring_minutes to authenticated;
grant select on private.browser_errors to authenticated;

-- The sum of two histograms, bucket by bucket; one that is empty counts as zeros.
create or replace function private.add_buckets(one bigint[], other bigint[]) returns bigint[]
language sql immutable
as $$
  select coalesce(array_agg(coalesce(a, 0) + coalesce(b, 0) order by position), '{}')
  from unnest(one, other) with ordinality as pair (a, b, position);
$$;

-- Adds what a portal has counted since it last did so to the present minute. `figures` has the
-- columns of `monitoring_minutes`; tabs are the most at once. For the API's own role only.
create or replace function private.add_monitoring(portal text, figures jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  added private.monitoring_minutes := jsonb_populate_record(null::private.monitoring_minutes, figures);
begin
  insert into private.monitoring_minutes as known
  values (
    date_trunc('minute', clock_timestamp()), portal, added.calls, added.failed_calls,
    added.call_buckets, added.tabs, added.live_tabs, added.opened, added.failed, added.lost,
    added.recovered, added.messages, added.screen_buckets, added.live_seconds,
    added.still_seconds, added.live_actions, added.still_actions, added.browser_errors
  )
  on conflict (minute, source) do update
  set
    calls = known.calls + excluded.calls,
    failed_calls = known.failed_calls + excluded.failed_calls,
    call_buckets = private.add_buckets(known.call_buckets, excluded.call_buckets),
    tabs = greatest(known.tabs, excluded.tabs),
    live_tabs = greatest(known.live_tabs, excluded.live_tabs),
    opened = known.opened + excluded.opened,
    failed = known.failed + excluded.failed,
    lost = known.lost + excluded.lost,
    recovered = known.recovered + excluded.recovered,
    messages = known.messages + excluded.messages,
    screen_buckets = private.add_buckets(known.screen_buckets, excluded.screen_buckets),
    live_seconds = known.live_seconds + excluded.live_seconds,
    still_seconds = known.still_seconds + excluded.still_seconds,
    live_actions = known.live_actions + excluded.live_actions,
    still_actions = known.still_actions + excluded.still_actions,
    browser_errors = known.browser_errors + excluded.browser_errors;
end;
$$;

-- Remembers an error of a browser; the same one again is counted. At most a thousand kinds: what
-- comes beyond them is counted and not described. For the API's own role only.
create or replace function private.note_browser_error(
  portal text,
  place text,
  message text,
  path text
)
returns void
language sql security definer set search_path = ''
as $$
  insert into private.browser_errors as known (fingerprint, source, place, message, path, occurrences)
  select
    encode(sha256(convert_to(concat_ws(chr(31), portal, place, message), 'UTF8')), 'hex'),
    portal, place, message, path, 1
  where (select count(*) from private.browser_errors) < 1000
  on conflict (fingerprint) do update
  set occurrences = known.occurrences + 1, last_seen_at = clock_timestamp(), path = excluded.path;
$$;

-- What waits to be done, by name, and how much of it: for administrators and scrapers.
create or replace function private.queue_depths() returns table (queue text, depth bigint)
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_service() and not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  return query
  select 'live_flushes', count(*) from private.live_flushes
  union all
  select 'notification_failures', count(*) from private.notification_failures
  where created_at > now() - interval '1 day'
  union all
  select 'expired_notifications', count(*) from public.notifications where expires_at <= now()
  union all
  select 'unmatched_payments', (
    select count(*) from private.payment_events
    where outcome = 'unmatched' and received_at > now() - interval '30 days'
  ) + (
    select count(*) from private.subscription_events
    where outcome = 'unmatched' and received_at > now() - interval '30 days'
  );
end;
$$;
grant execute on function private.queue_depths() to authenticated;

-- What monitoring has kept long enough goes. Gives the number of rows removed. Run daily.
create or replace function private.tidy_monitoring() returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  removed bigint := 0;
  part bigint;
begin
  delete from private.job_runs where finished_at < now() - interval '14 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.monitoring_minutes where minute < now() - interval '30 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.browser_errors where last_seen_at < now() - interval '30 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.service_key_log where created_at < now() - interval '1 year';
  get diagnostics part = row_count;
  return removed + part;
end;
$$;
-- <<< monitoring/minutes.sql

-- >>> progress/complete.sql
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
-- <<< progress/complete.sql

-- >>> progress/tell.sql
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
-- <<< progress/tell.sql

-- >>> services/acting.sql
-- What services may do for people: the functions that people's own calls end in.
grant execute on function private.complete_lesson_for(uuid, uuid, integer) to service_role;

-- Enrolls somebody in a published course, whatever it costs: who calls it has seen to that. An
-- enrollment that was cancelled begins again, with what was learned before. Safe to repeat; tells
-- what an enrollment of one's own tells. Raises USER_NOT_FOUND, COURSE_NOT_FOUND.
create or replace function private.enroll_for(student uuid, course uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  enrollment public.enrollments;
  is_new boolean;
begin
  if not exists (select 1 from public.users where id = student and is_active) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  if not exists (select 1 from public.courses where id = course and status = 'published') then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.enrollments (user_id, course_id) values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into enrollment;
  is_new := found;
  if not is_new then
    update public.enrollments set status = 'active'
    where user_id = student and course_id = course and status = 'cancelled'
    returning * into enrollment;
    is_new := found;
    if not is_new then
      select * into enrollment from public.enrollments
      where user_id = student and course_id = course;
    end if;
  end if;
  return jsonb_build_object(
    'userId', student,
    'courseId', course,
    'status', enrollment.status,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'isNew', is_new
  );
end;
$$;
grant execute on function private.enroll_for(uuid, uuid) to service_role;
-- <<< services/acting.sql

-- >>> subscriptions/record.sql
-- Takes what a provider told of a subscription: `{ provider, eventId, type, kind, rank, happenedAt,
-- reference, userId, plan, status, startedAt, expiresAt, cancelledAt, renews, invoice }`. `kind` says
-- of what: `state` (the subscription as it was then), `paid` or `failed` (an invoice of it).
--
-- A subscription is what its events add up to: all of them are kept, each once, and it is computed
-- from them anew. Its state is that of the newest by the provider's clock, and by `rank` within one
-- second; it lasts as long as any event says that it is paid for, until one says that it has ended.
-- So the end is the same whatever the order in which they come. Gives `repeated`, `recorded`, or
-- `unmatched` (it is nobody's whom we know: an operator has to look).
create or replace function private.record_subscription(told jsonb) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  source text := told ->> 'provider';
  subject text := told ->> 'reference';
  person uuid := (select id from public.users where id::text = told ->> 'userId');
begin
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'subscription', source, subject), 0));
  insert into private.subscription_events (provider, id, reference, type, rank, happened_at, told, outcome)
  values (
    source, told ->> 'eventId', subject, told ->> 'type', (told ->> 'rank')::smallint,
    (told ->> 'happenedAt')::timestamptz, told,
    case when person is null then 'unmatched' else 'recorded' end
  )
  on conflict do nothing;
  if not found then
    return 'repeated';
  end if;
  if person is null then
    return 'unmatched';
  end if;
  perform private.settle_subscription(person, source, subject);
  if told ->> 'kind' = 'failed' then
    perform private.tell_failed_renewal(person, told);
  end if;
  return 'recorded';
end;
$$;
grant execute on function private.record_subscription(jsonb) to service_role;

-- Writes the subscription that the events about it add up to; none before it has begun. Tells its
-- owner when it has ended.
create or replace function private.settle_subscription(person uuid, source text, subject text)
returns void
language plpgsql
as $$
declare
  before public.subscriptions;
  after public.subscriptions;
  state jsonb;
  has_begun boolean;
  paid_until timestamptz;
begin
  select event.told into state
  from private.subscription_events as event
  where event.provider = source and event.reference = subject and event.told ->> 'kind' = 'state'
  order by event.happened_at desc, event.rank desc, event.id desc
  limit 1;
  select
    max((event.told ->> 'expiresAt')::timestamptz) filter (where event.told ->> 'kind' = 'paid'),
    bool_or(event.told ->> 'kind' = 'paid' or event.told ->> 'status' in ('active', 'past_due')),
    coalesce(min((event.told ->> 'startedAt')::timestamptz), min(event.happened_at)),
    coalesce(state ->> 'plan', max(event.told ->> 'plan'), 'subscription')
  into paid_until, has_begun, after.started_at, after.plan
  from private.subscription_events as event
  where event.provider = source and event.reference = subject;
  if has_begun is not true then
    return;
  end if;
  select * into before from public.subscriptions
  where provider = source and provider_reference = subject;
  after.status := coalesce(nullif(state ->> 'status', 'pending'), 'active');
  after.expires_at := greatest(
    (state ->> 'expiresAt')::timestamptz,
    case when after.status <> 'cancelled' then paid_until end,
    after.started_at + interval '1 second'
  );
  insert into public.subscriptions as known (
    user_id, plan, status, provider, provider_reference, started_at, expires_at, cancelled_at,
    renews_automatically
  )
  values (
    person, after.plan, after.status, source, subject, after.started_at, after.expires_at,
    (state ->> 'cancelledAt')::timestamptz,
    coalesce((state ->> 'renews')::boolean, true)
  )
  on conflict (provider, provider_reference) do update
  set
    plan = excluded.plan,
    status = excluded.status,
    started_at = excluded.started_at,
    expires_at = excluded.expires_at,
    cancelled_at = excluded.cancelled_at,
    renews_automatically = excluded.renews_automatically
  returning * into after;
  if after.status = 'cancelled' and before.status is distinct from 'cancelled' then
    perform private.notify(jsonb_build_array(jsonb_build_object(
      'user_id', person,
      'type', 'subscription',
      'level', 'info',
      'title', 'Subscription ended',
      'message', 'Your subscription has ended. What you have learned is kept.',
      'data', jsonb_build_object('plan', after.plan),
      'related_entity_type', 'subscription',
      'related_entity_id', after.id,
      'dedupe_key', 'subscription ended ' || after.id
    )));
  end if;
end;
$$;

-- Tells that a payment didn't go through, once for each invoice, unless it has been paid since.
create or replace function private.tell_failed_renewal(person uuid, failure jsonb) returns void
language sql
as $$
  select private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', person,
    'type', 'subscription',
    'level', 'warning',
    'title', 'Payment failed',
    'message', 'The payment for your subscription failed. Update your card to keep it.',
    'data', jsonb_build_object('plan', failure ->> 'plan'),
    'dedupe_key', 'invoice failed ' || (failure ->> 'invoice')
  )))
  where not exists (
    select 1 from private.subscription_events as paid
    where paid.provider = failure ->> 'provider'
      and paid.reference = failure ->> 'reference'
      and paid.told ->> 'kind' = 'paid'
      and paid.told ->> 'invoice' = failure ->> 'invoice'
  );
$$;
-- <<< subscriptions/record.sql

-- >>> subscriptions/remind.sql
-- Reminds everybody whose subscription ends in 7, 3 or 1 days, and isn't renewed by itself, once each for every date at which it
-- would end, and ends what is over. A run that comes late sends the reminder that fits now, never
-- two at once. One statement, whatever their number. Gives how many were reminded. Run every ten
-- minutes.
create or replace function private.remind_subscriptions() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reminded integer;
begin
  with due as (
    select
      id, user_id, plan, expires_at,
      case
        when expires_at <= now() + interval '1 day' then 1
        when expires_at <= now() + interval '3 days' then 3
        else 7
      end as days
    from public.subscriptions
    where status = 'active' and not renews_automatically and expires_at > now() and expires_at <= now() + interval '7 days'
  ), first as (
    insert into private.subscription_reminders (subscription_id, expires_at, days_before)
    select id, expires_at, days from due
    on conflict do nothing
    returning subscription_id, days_before
  )
  insert into public.notifications (
    user_id, type, level, title, message, data, related_entity_type, related_entity_id, expires_at
  )
  select
    due.user_id, 'subscription', 'warning', 'Subscription Reminder',
    format(
      'Your subscription expires in %s. Renew to continue learning.',
      case due.days when 1 then 'a day' else due.days || ' days' end
    ),
    jsonb_build_object('plan', due.plan, 'days', due.days, 'expires_at', due.expires_at),
    'subscription', due.id, due.expires_at
  from first
  join due on due.id = first.subscription_id
  where not exists (
    select 1 from public.notification_preferences
    where user_id = due.user_id and type = 'subscription' and channel = 'app'
      and course_id is null and not enabled
  );
  get diagnostics reminded = row_count;
  update public.subscriptions set status = 'expired'
  where status = 'active'
    -- A provider takes some hours to renew what it renews.
    and expires_at + case when renews_automatically then interval '1 day' else '0' end <= now();
  return reminded;
end;
$$;
-- <<< subscriptions/remind.sql

-- What was counted by the hour is counted anew, by the quarter.
delete from public.course_activity_hours;
select private.count_hours(array(select id from public.courses), '-infinity');
