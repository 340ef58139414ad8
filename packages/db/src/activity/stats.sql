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
