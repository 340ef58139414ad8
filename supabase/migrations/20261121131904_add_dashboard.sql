set check_function_bodies = off;

CREATE TABLE "course_activity_hours" (
	"course_id" uuid NOT NULL,
	"activity_type" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"count" integer NOT NULL,
	"amount" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "course_activity_hours_once_per_kind" PRIMARY KEY("course_id","activity_type","hour","currency"),
	CONSTRAINT "course_activity_hours_count_up" CHECK (count > 0)
);

ALTER TABLE "course_activity_hours" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_stats" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"total_enrollments" integer DEFAULT 0 NOT NULL,
	"completed_count" integer DEFAULT 0 NOT NULL,
	"rating_count" integer DEFAULT 0 NOT NULL,
	"rating_sum" integer DEFAULT 0 NOT NULL,
	"average_rating" numeric(3, 2) GENERATED ALWAYS AS (case when rating_count > 0 then round(rating_sum::numeric / rating_count, 2) end) STORED,
	"online_students" integer DEFAULT 0 NOT NULL,
	"revenue" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"counted_seq" bigint DEFAULT 0 NOT NULL,
	"hours_counted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_stats_count_up" CHECK (total_enrollments >= 0 and completed_count >= 0 and rating_count >= 0 and rating_sum >= 0 and online_students >= 0)
);

ALTER TABLE "course_stats" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "announcement_courses" (
	"announcement_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	CONSTRAINT "announcement_courses_once_each" PRIMARY KEY("announcement_id","course_id")
);

ALTER TABLE "announcement_courses" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "announcements" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"author_id" uuid,
	"title" text NOT NULL,
	"content" text NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"scheduled_at" timestamp with time zone,
	"sent_at" timestamp with time zone,
	"recipient_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "announcements_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "announcements_have_a_short_text" CHECK (char_length(content) between 1 and 5000),
	CONSTRAINT "announcements_have_a_known_status" CHECK (status in ('draft', 'scheduled', 'sent')),
	CONSTRAINT "announcements_scheduled_have_a_moment" CHECK (status <> 'scheduled' or scheduled_at is not null),
	CONSTRAINT "announcements_sent_have_a_moment" CHECK ((status = 'sent') = (sent_at is not null))
);

ALTER TABLE "announcements" ENABLE ROW LEVEL SECURITY;

DROP INDEX "private"."browser_errors_newest_first";

DROP INDEX "private"."job_runs_of_job_newest_first";

DROP INDEX "private"."service_key_log_of_key_newest_first";

DROP INDEX "private"."service_keys_newest_first";

ALTER TABLE "course_reviews" ADD COLUMN "reply" text DEFAULT '' NOT NULL;

ALTER TABLE "course_reviews" ADD COLUMN "replied_by" uuid;

ALTER TABLE "course_reviews" ADD COLUMN "replied_at" timestamp with time zone;

ALTER TABLE "course_activity_hours" ADD CONSTRAINT "course_activity_hours_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_stats" ADD CONSTRAINT "course_stats_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcement_courses" ADD CONSTRAINT "announcement_courses_announcement_id_announcements_id_fk" FOREIGN KEY ("announcement_id") REFERENCES "public"."announcements"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcement_courses" ADD CONSTRAINT "announcement_courses_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcements" ADD CONSTRAINT "announcements_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "announcement_courses_by_course" ON "announcement_courses" USING btree ("course_id");

CREATE INDEX "announcements_of_author_newest_first" ON "announcements" USING btree ("author_id","created_at","id");

CREATE INDEX "announcements_due" ON "announcements" USING btree ("scheduled_at") WHERE status = 'scheduled';

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_replied_by_users_id_fk" FOREIGN KEY ("replied_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "notifications_of_announcement" ON "notifications" USING btree ("related_entity_id") WHERE type = 'announcement';

CREATE INDEX "browser_errors_newest_first" ON "private"."browser_errors" USING btree ("last_seen_at");

CREATE INDEX "job_runs_of_job_newest_first" ON "private"."job_runs" USING btree ("name","id");

CREATE INDEX "service_key_log_of_key_newest_first" ON "private"."service_key_log" USING btree ("key_id","id");

CREATE INDEX "service_keys_newest_first" ON "private"."service_keys" USING btree ("created_at","id");

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_have_a_short_reply" CHECK (char_length(reply) <= 5000);

-- >>> access/reading.sql
-- What users read, row by row as the policies say. Writing is granted beside each table.
grant select on
  public.users,
  public.courses,
  public.modules,
  public.course_instructors,
  public.enrollments,
  public.lesson_completions,
  public.module_completions,
  public.certificates,
  public.achievements,
  public.user_achievements,
  public.learning_stats,
  public.notifications,
  public.discussion_threads,
  public.thread_messages,
  public.messages,
  public.workshop_registrations,
  public.student_presence,
  public.student_activity,
  public.course_reviews,
  public.payments,
  public.subscriptions,
  public.course_versions,
  public.course_drafts,
  public.lesson_drafts,
  public.lesson_progress,
  public.quiz_attempts,
  public.point_entries,
  public.hidden_students,
  public.course_stats,
  public.course_activity_hours,
  public.announcements,
  public.announcement_courses
to authenticated;

-- A lesson's outline is public like its course; what it teaches (`content`, `video_url`) is read
-- through the API by those who take part.
grant select (
  id, module_id, title, kind, position, duration_minutes, is_published, is_required, created_at,
  updated_at, revision, removed_at
) on public.lessons to authenticated;
-- <<< access/reading.sql

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
  if old.status = 'succeeded' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'currency', old.currency, 'cents', -old.amount_cents
    ));
  end if;
  if tg_op = 'UPDATE' and new.status = 'succeeded'
    and (old.status in ('succeeded', 'refunded') or new.user_id is null) then
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

-- Counts the activity of courses by hour, from the hour of a moment on.
create or replace function private.count_hours(course_ids uuid[], since timestamptz) returns void
language plpgsql
as $$
begin
  insert into public.course_activity_hours as counted (
    course_id, activity_type, hour, currency, count, amount
  )
  select
    course_id,
    activity_type,
    date_trunc('hour', created_at, 'UTC'),
    case activity_type when 'paid' then coalesce(data ->> 'currency', '') else '' end,
    count(*),
    coalesce(sum(case activity_type
      when 'paid' then (data ->> 'amount_cents')::bigint
      when 'reviewed' then (data ->> 'rating')::bigint
    end), 0)
  from public.student_activity
  where course_id = any (course_ids)
    and created_at >= case when since = '-infinity' then since else date_trunc('hour', since, 'UTC') end
  group by 1, 2, 3, 4
  on conflict (course_id, activity_type, hour, currency) do update
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

-- >>> announcements/send.sql
-- Writes a draft of the caller's, or changes one that isn't sent yet, for courses that they teach;
-- the id is the caller's, so the same again changes nothing. A moment schedules it; without one it
-- is a draft. Raises ANNOUNCEMENT_NOT_FOUND, ANNOUNCEMENT_SENT, COURSE_NOT_FOUND.
create or replace function public.save_announcement(
  id uuid,
  title text,
  content text,
  course_ids uuid[],
  scheduled_at timestamptz default null
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  author uuid := auth.uid();
  known public.announcements;
begin
  if cardinality(course_ids) = 0 or exists (
    select 1 from unnest(course_ids) as course
    where course not in (select private.taught_course_ids())
  ) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.announcements (id, author_id, title, content)
  values (save_announcement.id, author, save_announcement.title, save_announcement.content)
  on conflict on constraint announcements_pkey do nothing;
  select * into known from public.announcements
  where announcements.id = save_announcement.id for update;
  if known.author_id is distinct from author then
    raise exception 'ANNOUNCEMENT_NOT_FOUND' using errcode = 'P0002';
  end if;
  if known.status = 'sent' then
    raise exception 'ANNOUNCEMENT_SENT' using errcode = 'P0001';
  end if;
  update public.announcements
  set
    title = save_announcement.title,
    content = save_announcement.content,
    scheduled_at = save_announcement.scheduled_at,
    status = case when save_announcement.scheduled_at is null then 'draft' else 'scheduled' end
  where announcements.id = save_announcement.id;
  delete from public.announcement_courses where announcement_id = save_announcement.id;
  insert into public.announcement_courses (announcement_id, course_id)
  select distinct save_announcement.id, course from unnest(course_ids) as course;
end;
$$;
grant execute on function public.save_announcement(uuid, text, text, uuid[], timestamptz)
to authenticated;

-- Removes an announcement of the caller's that isn't sent yet; false where there is none.
create or replace function public.remove_announcement(id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.announcements
  where announcements.id = remove_announcement.id
    and author_id = auth.uid() and status <> 'sent';
  return found;
end;
$$;
grant execute on function public.remove_announcement(uuid) to authenticated;

-- Sends an announcement that the caller has locked: a notification for each student, however many
-- of its courses they take, their events and what Realtime is told, three writes of many rows. It
-- doesn't go through the queue of `publish`, whose JSON would be a hundred times what is told.
-- Locks the recipients' topics in the order of their names until the transaction ends: call it in a
-- transaction that does nothing else. Gives how many were told.
create or replace function private.write_announcement(announcement public.announcements)
returns integer
language plpgsql
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  moment timestamptz := clock_timestamp();
  told integer;
  setting text := set_config('homeroom.telling', 'by hand', true);
begin
  with recipient as (
    select distinct on (enrollment.user_id)
      enrollment.user_id, course.id as course_id, course.title as course_title
    from public.announcement_courses as target
    join public.courses as course on course.id = target.course_id
    join public.enrollments as enrollment
      on enrollment.course_id = target.course_id and enrollment.status <> 'cancelled'
    where target.announcement_id = announcement.id
      and not exists (
        select 1 from public.notification_preferences as preference
        where preference.user_id = enrollment.user_id
          and preference.type = 'announcement' and not preference.enabled
      )
    order by enrollment.user_id, course.title, course.id
  ), written as (
    insert into public.notifications (
      user_id, type, title, message, data, course_id, related_entity_type, related_entity_id,
      dedupe_key, created_at
    )
    select
      user_id, 'announcement', announcement.title, announcement.content,
      jsonb_build_object('course_id', course_id, 'course_title', course_title),
      course_id, 'announcement', announcement.id, 'announcement:' || announcement.id, moment
    from recipient
    on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
    returning notifications.*
  ), head as (
    insert into private.live_topics as head (topic, seq)
    select 'user:' || user_id, 1 from written order by ('user:' || user_id) collate "C"
    on conflict (topic) do update set seq = head.seq + 1
    returning topic, seq, epoch
  ), event as materialized (
    select
      gen_random_uuid() as id, head.topic, head.seq, head.epoch,
      jsonb_build_object(
        'notification', private.notification_json(written.*::public.notifications),
        'unreadDelta', 1
      ) as payload
    from written
    join head on head.topic = 'user:' || written.user_id
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, 'notification.created', payload, moment from event
  ), sent as (
    insert into realtime.messages (id, topic, extension, event, payload, private)
    select
      id, private.channel_of(topic, epoch), 'broadcast', 'notification.created',
      jsonb_build_object('id', id, 'seq', seq, 'at', private.epoch_ms(moment), 'data', payload),
      true
    from event
  )
  select count(*) into told from written;
  setting := set_config('homeroom.telling', '', true);
  update public.announcements
  set status = 'sent', sent_at = moment, scheduled_at = null, recipient_count = told
  where announcements.id = announcement.id;
  return told;
end;
$$;

-- Sends an announcement of the caller's now. One that was sent stays sent: gives how many were told.
create or replace function public.send_announcement(id uuid) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  announcement public.announcements;
begin
  select * into announcement from public.announcements
  where announcements.id = send_announcement.id and author_id = auth.uid()
  for update;
  if not found then
    raise exception 'ANNOUNCEMENT_NOT_FOUND' using errcode = 'P0002';
  end if;
  if announcement.status = 'sent' then
    return announcement.recipient_count;
  end if;
  -- Rights that ended since it was written count.
  delete from public.announcement_courses
  where announcement_id = announcement.id
    and course_id not in (select private.taught_course_ids());
  return private.write_announcement(announcement);
end;
$$;
grant execute on function public.send_announcement(uuid) to authenticated;

-- Sends the next announcement that is due, exactly once, to those of its courses that its author
-- still teaches. One a call, since it locks its recipients' topics. Run every ten seconds.
create or replace function private.send_due_announcement() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  announcement public.announcements;
begin
  select * into announcement from public.announcements
  where status = 'scheduled' and scheduled_at <= now()
  order by scheduled_at, id
  limit 1
  for update skip locked;
  if not found then
    return 0;
  end if;
  delete from public.announcement_courses
  where announcement_id = announcement.id
    and (announcement.author_id is null
      or not private.is_course_staff(course_id, announcement.author_id));
  return private.write_announcement(announcement);
end;
$$;

-- How many have read an announcement of the caller's.
create or replace function public.announcement_reads(announcement_ids uuid[])
returns table (announcement_id uuid, read_count integer)
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select announcement.id, (
    select count(*)::integer from public.notifications
    where type = 'announcement' and related_entity_id = announcement.id and read_at is not null
  )
  from public.announcements as announcement
  where announcement.id = any (announcement_ids) and announcement.author_id = auth.uid();
end;
$$;
grant execute on function public.announcement_reads(uuid[]) to authenticated;
-- <<< announcements/send.sql

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

-- A course finished: told once, when `status` becomes `completed`. Other changes of `status` move
-- the figures of the course (activity/stats.sql).
create or replace function private.after_course_completion() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
  moves text;
begin
  select
    array_agg(after.user_id) filter (where after.status = 'completed'),
    array_agg(after.course_id) filter (where after.status = 'completed'),
    array_agg(after.id) filter (where after.status = 'completed'),
    array_agg('{}'::jsonb) filter (where after.status = 'completed'),
    string_agg(
      json_build_object(
        'topic', 'course:' || after.course_id || ':staff',
        'event', 'stats.changed',
        'payload', json_build_object(
          'enrolled', (after.status <> 'cancelled')::integer - (before.status <> 'cancelled')::integer,
          'completed', -(before.status = 'completed')::integer
        )
      )::text,
      ','
    ) filter (where before.status <> 'active' or after.status = 'cancelled')
  into students, courses, entities, details, moves
  from before
  join after using (id)
  where after.status <> before.status;
  if moves is not null then
    perform private.queue_live('homeroom.events', moves);
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

-- >>> jobs.sql
-- The list of jobs.ts, for `private.run_job`. A job that is taken off the list goes from here too.
insert into private.jobs (name, schedule, statement)
values
  ('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()'),
  ('expire-notifications', '* * * * *', 'select private.expire_notifications()'),
  ('end-ghost-presence', '10 seconds', 'select private.end_ghost_presence()'),
  ('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()'),
  ('tell-crowds', '1 seconds', 'select private.tell_crowds()'),
  ('tell-threads', '1 seconds', 'select private.tell_threads()'),
  ('tend-workshops', '* * * * *', 'select private.tend_workshops()'),
  ('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()'),
  ('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes'),
  ('remind-subscriptions', '*/10 * * * *', 'select private.remind_subscriptions()'),
  ('tidy-monitoring', '41 3 * * *', 'select private.tidy_monitoring()'),
  ('count-course-stats', '2 seconds', 'select private.count_course_stats()'),
  ('mend-course-stats', '51 3 * * *', 'select private.mend_course_stats()'),
  ('send-announcements', '10 seconds', 'select private.send_due_announcement()')
on conflict (name) do update set schedule = excluded.schedule, statement = excluded.statement;

-- For pg_cron, where it is installed; a job of the same name is replaced. Elsewhere the stack runs
-- them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule(name, schedule, format('select private.run_job(%L)', name))
    from private.jobs;
  end if;
end;
$$;
-- <<< jobs.sql

-- >>> reviews/replies.sql
-- What students write of a course, and nothing else of the row.
grant insert (user_id, course_id, rating, comment), update (rating, comment), delete
on public.course_reviews to authenticated;

-- The staff of a course replies to a review, or takes the reply back with an empty one. Gives false
-- where there is no such review for the caller.
create or replace function public.reply_to_review(review_id uuid, reply text) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update public.course_reviews as review
  set
    reply = btrim(reply_to_review.reply),
    replied_by = case when btrim(reply_to_review.reply) <> '' then auth.uid() end,
    replied_at = case when btrim(reply_to_review.reply) <> '' then now() end
  where review.id = review_id and review.course_id in (select private.taught_course_ids());
  return found;
end;
$$;
grant execute on function public.reply_to_review(uuid, text) to authenticated;

-- The course's members are told that its reviews have changed; what they say is read where it is
-- shown.
create or replace function private.tell_reviews() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || case tg_op when 'DELETE' then old.course_id else new.course_id end,
    'reviews.changed',
    '{}'
  );
  return null;
end;
$$;

create or replace trigger tell_reviews
after insert or update or delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_reviews();
-- <<< reviews/replies.sql

CREATE POLICY "students who are enrolled review in their own name" ON "course_reviews" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.enrollments where enrollments.user_id = (select auth.uid()) and enrollments.course_id = course_reviews.course_id and enrollments.status <> 'cancelled'));

CREATE POLICY "students change their own reviews" ON "course_reviews" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "students take their own reviews back" ON "course_reviews" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "staff see how much happens in their courses" ON "course_activity_hours" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "staff see the figures of their courses" ON "course_stats" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "members see what goes to their courses" ON "announcement_courses" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "authors see what they announce, members what was sent to their courses" ON "announcements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (author_id = (select auth.uid()) or (status = 'sent' and id in (select announcement_id from public.announcement_courses where course_id in (select private.joined_course_ids()))));
