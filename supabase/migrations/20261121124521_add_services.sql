set check_function_bodies = off;

CREATE TABLE "private"."browser_errors" (
	"fingerprint" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"place" text NOT NULL,
	"message" text NOT NULL,
	"path" text NOT NULL,
	"occurrences" bigint DEFAULT 0 NOT NULL,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "browser_errors_are_short" CHECK (char_length(message) <= 500 and char_length(path) <= 300 and char_length(place) <= 100)
);

ALTER TABLE "private"."browser_errors" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."job_runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "private"."job_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone NOT NULL,
	"is_ok" boolean NOT NULL,
	"row_count" bigint DEFAULT 0 NOT NULL,
	"error" text,
	"repeats" integer DEFAULT 1 NOT NULL
);

ALTER TABLE "private"."job_runs" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."monitoring_minutes" (
	"minute" timestamp with time zone NOT NULL,
	"source" text NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"failed_calls" bigint DEFAULT 0 NOT NULL,
	"call_buckets" bigint[] DEFAULT '{}' NOT NULL,
	"tabs" bigint DEFAULT 0 NOT NULL,
	"live_tabs" bigint DEFAULT 0 NOT NULL,
	"opened" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"lost" bigint DEFAULT 0 NOT NULL,
	"recovered" bigint DEFAULT 0 NOT NULL,
	"messages" bigint DEFAULT 0 NOT NULL,
	"screen_buckets" bigint[] DEFAULT '{}' NOT NULL,
	"live_seconds" bigint DEFAULT 0 NOT NULL,
	"still_seconds" bigint DEFAULT 0 NOT NULL,
	"live_actions" bigint DEFAULT 0 NOT NULL,
	"still_actions" bigint DEFAULT 0 NOT NULL,
	"browser_errors" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "monitoring_minutes_one_each" PRIMARY KEY("minute","source"),
	CONSTRAINT "monitoring_minutes_are_of_a_portal" CHECK (source ~ '^[a-z]{1,20}$')
);

ALTER TABLE "private"."monitoring_minutes" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."jobs" (
	"name" text PRIMARY KEY NOT NULL,
	"schedule" text NOT NULL,
	"statement" text NOT NULL,
	"last_finished_at" timestamp with time zone,
	"last_ok" boolean,
	"last_rows" bigint,
	"last_ms" integer,
	"last_error" text,
	"last_failed_at" timestamp with time zone,
	"failures" bigint DEFAULT 0 NOT NULL
);

ALTER TABLE "private"."jobs" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."payment_events" (
	"provider" text NOT NULL,
	"id" text NOT NULL,
	"type" text NOT NULL,
	"reference" text NOT NULL,
	"outcome" text,
	"happened_at" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payment_events_once_each" PRIMARY KEY("provider","id")
);

ALTER TABLE "private"."payment_events" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."service_key_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "private"."service_key_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key_id" uuid NOT NULL,
	"action" text NOT NULL,
	"outcome" text DEFAULT 'ok' NOT NULL,
	"actor_id" uuid,
	"subject_id" uuid,
	"request_id" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "service_key_log_is_short" CHECK (char_length(action) <= 100 and char_length(outcome) <= 60)
);

ALTER TABLE "private"."service_key_log" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."service_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"key_hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"calls_per_minute" integer NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "service_keys_once_per_hash" UNIQUE("key_hash"),
	CONSTRAINT "service_keys_have_a_name" CHECK (char_length(name) between 1 and 100),
	CONSTRAINT "service_keys_have_a_prefix" CHECK (prefix ~ '^hr_[A-Za-z0-9_-]{6}$'),
	CONSTRAINT "service_keys_are_hashed" CHECK (key_hash ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "service_keys_have_known_scopes" CHECK (cardinality(scopes) > 0 and scopes <@ '{enrollments:write,notifications:write,payments:write,progress:write,subscriptions:write,users:read}'::text[]),
	CONSTRAINT "service_keys_have_a_rate" CHECK (calls_per_minute between 1 and 60000),
	CONSTRAINT "service_keys_end_after_they_begin" CHECK (expires_at > created_at)
);

ALTER TABLE "private"."service_keys" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."subscription_reminders" (
	"subscription_id" uuid NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"days_before" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscription_reminders_once_each" PRIMARY KEY("subscription_id","expires_at","days_before"),
	CONSTRAINT "subscription_reminders_are_7_3_1_days_before" CHECK (days_before in (7, 3, 1))
);

ALTER TABLE "private"."subscription_reminders" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "payments" ADD COLUMN "refunded_cents" integer DEFAULT 0 NOT NULL;

ALTER TABLE "private"."service_key_log" ADD CONSTRAINT "service_key_log_key_id_service_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "private"."service_keys"("id") ON DELETE no action ON UPDATE no action;

ALTER TABLE "private"."service_keys" ADD CONSTRAINT "service_keys_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "private"."subscription_reminders" ADD CONSTRAINT "subscription_reminders_subscription_id_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."subscriptions"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "browser_errors_newest_first" ON "private"."browser_errors" USING btree ("last_seen_at" DESC NULLS LAST);

CREATE INDEX "job_runs_of_job_newest_first" ON "private"."job_runs" USING btree ("name","id" DESC NULLS LAST);

CREATE INDEX "job_runs_by_age" ON "private"."job_runs" USING btree ("finished_at");

CREATE INDEX "payment_events_by_outcome" ON "private"."payment_events" USING btree ("received_at") WHERE outcome = 'unmatched';

CREATE INDEX "service_key_log_of_key_newest_first" ON "private"."service_key_log" USING btree ("key_id","id" DESC NULLS LAST);

CREATE INDEX "service_key_log_by_age" ON "private"."service_key_log" USING brin ("created_at");

CREATE INDEX "service_keys_newest_first" ON "private"."service_keys" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

ALTER TABLE "payments" ADD CONSTRAINT "payments_refund_no_negative_amount" CHECK (refunded_cents >= 0);

-- >>> jobs.sql
-- The list of jobs.ts, for `private.run_job`. A job that is taken off the list goes from here too.
insert into private.jobs (name, schedule, statement)
values
  ('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()'),
  ('expire-notifications', '* * * * *', 'select private.expire_notifications()'),
  ('end-ghost-presence', '10 seconds', 'select private.end_ghost_presence()'),
  ('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()'),
  ('tell-crowds', '1 seconds', 'select private.tell_crowds()'),
  ('tend-workshops', '* * * * *', 'select private.tend_workshops()'),
  ('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()'),
  ('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes'),
  ('remind-subscriptions', '*/10 * * * *', 'select private.remind_subscriptions()'),
  ('tidy-monitoring', '41 3 * * *', 'select private.tidy_monitoring()')
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
  select 'unmatched_payments', count(*) from private.payment_events
  where outcome = 'unmatched' and received_at > now() - interval '30 days';
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

-- >>> monitoring/run-job.sql
grant select on private.jobs to authenticated;
grant select on private.job_runs to authenticated;

-- Rows that are changed in place, again and again.
alter table private.jobs set (fillfactor = 50);

-- Runs a job of the list and records how it went: what pg_cron and the local stack call. Never two
-- runs of a job at once (then null). A job that fails is undone and recorded, and doesn't fail the
-- run itself, so that the record stays. Gives what the job gave, or how many rows it touched.
create or replace function private.run_job(job_name text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  job private.jobs;
  began timestamptz := clock_timestamp();
  answer text;
  touched bigint := 0;
  fault text;
begin
  select * into job from private.jobs where name = job_name;
  if not found then
    raise exception 'There is no job "%"', job_name using errcode = 'P0002';
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('job ' || job_name, 0)) then
    return null;
  end if;
  begin
    if job.statement ilike 'select %' then
      execute job.statement into answer;
      touched := coalesce(substring(answer from '^\d{1,18}$'), '0')::bigint;
    else
      execute job.statement;
      get diagnostics touched = row_count;
    end if;
    -- What is told at commit is told here, so that its failure is the job's.
    set constraints all immediate;
  exception when query_canceled or others then
    fault := left(format('%s (%s)', sqlerrm, sqlstate), 1000);
  end;
  perform private.record_job_run(job, began, touched, fault);
  if fault is not null then
    raise warning 'Job % failed: %', job_name, fault;
  end if;
  return touched;
end;
$$;

-- Keeps how a run went. What runs every few seconds leaves a row only when it fails, and changes
-- its line in the list only when it did something, or every half minute.
create or replace function private.record_job_run(
  job private.jobs,
  began timestamptz,
  touched bigint,
  fault text
)
returns void
language plpgsql set search_path = ''
as $$
declare
  ended timestamptz := clock_timestamp();
  is_quick boolean := job.schedule like '% seconds';
begin
  if fault is not null then
    update private.job_runs
    set finished_at = ended, repeats = repeats + 1
    where id = (select max(id) from private.job_runs where name = job.name)
      and not is_ok
      and error = fault;
  end if;
  if (fault is not null and not found) or (fault is null and not is_quick) then
    insert into private.job_runs (name, started_at, finished_at, is_ok, row_count, error)
    values (job.name, began, ended, fault is null, touched, fault);
  end if;
  if is_quick and fault is null and touched = 0 and job.last_ok
    and job.last_finished_at > ended - interval '30 seconds'
  then
    return;
  end if;
  update private.jobs
  set
    last_finished_at = ended,
    last_ok = fault is null,
    last_rows = touched,
    last_ms = extract(epoch from ended - began) * 1000,
    last_error = coalesce(fault, last_error),
    last_failed_at = case when fault is null then last_failed_at else ended end,
    failures = failures + (fault is not null)::integer
  where name = job.name;
end;
$$;
-- <<< monitoring/run-job.sql

-- >>> payments/record.sql
-- How far a payment has come; it never goes back, in whatever order its events arrive.
create or replace function private.payment_rank(status text) returns integer
language sql immutable
as $$
  select case status when 'pending' then 0 when 'failed' then 1 when 'succeeded' then 2 else 3 end;
$$;

-- Takes what a provider told of a payment: `{ provider, eventId, type, happenedAt, reference,
-- userId, courseId, amountCents, refundedCents, currency, status }`, of which an event may know only
-- a part. Each event counts once; events of a payment come one after the other, and add up to the
-- same whatever their order. Gives what came of it: `repeated`, `recorded`, `enrolled`, `refunded`,
-- `unmatched` (paid, and nobody or no course to give it to: an operator has to look).
--
-- A payment that has come enrolls its student. One that was given back in full ends the enrollment,
-- unless the course was finished (a certificate is not taken back by money) or paid for by another
-- payment; what was learned is kept for when they return. Given back in part, it ends nothing.
create or replace function private.record_payment(told jsonb) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  source text := told ->> 'provider';
  subject text := told ->> 'reference';
  before public.payments;
  after public.payments;
  came_of_it text := 'recorded';
begin
  insert into private.payment_events (provider, id, type, reference, happened_at)
  values (
    source, told ->> 'eventId', told ->> 'type', subject,
    (told ->> 'happenedAt')::timestamptz
  )
  on conflict do nothing;
  if not found then
    return 'repeated';
  end if;

  insert into public.payments (provider, provider_reference, amount_cents, currency)
  values (source, subject, (told ->> 'amountCents')::integer, upper(told ->> 'currency'))
  on conflict (provider, provider_reference) do nothing;
  select * into before from public.payments
  where provider = source and provider_reference = subject
  for update;

  after := before;
  after.refunded_cents := greatest(before.refunded_cents, (told ->> 'refundedCents')::integer);
  after.user_id := coalesce(before.user_id, (
    select id from public.users where id::text = told ->> 'userId'
  ));
  after.course_id := coalesce(before.course_id, (
    select id from public.courses where id::text = told ->> 'courseId'
  ));
  if private.payment_rank(told ->> 'status') > private.payment_rank(before.status) then
    after.status := told ->> 'status';
  end if;
  if after.refunded_cents > 0 and after.refunded_cents >= after.amount_cents then
    after.status := 'refunded';
  end if;
  update public.payments
  set
    refunded_cents = after.refunded_cents,
    user_id = after.user_id,
    course_id = after.course_id,
    status = after.status,
    paid_at = coalesce(paid_at, case
      when told ->> 'status' = 'succeeded' then (told ->> 'happenedAt')::timestamptz
    end)
  where id = before.id;

  if after.status = 'refunded' and before.status <> 'refunded' then
    perform private.end_refunded_enrollment(after, before.status = 'succeeded');
    came_of_it := 'refunded';
  elsif after.status = 'succeeded' and (after.user_id is null or after.course_id is null) then
    came_of_it := 'unmatched';
  elsif after.status = 'succeeded' and (
    before.status <> 'succeeded' or before.user_id is null or before.course_id is null
  ) then
    came_of_it := private.enroll_for_payment(after);
  end if;
  update private.payment_events set outcome = came_of_it
  where provider = source and id = told ->> 'eventId';
  return came_of_it;
end;
$$;
grant execute on function private.record_payment(jsonb) to service_role;

-- Gives a student what they have paid for, and says so. A payment is never lost over it: where the
-- course is no longer there to be given, it is `unmatched`.
create or replace function private.enroll_for_payment(payment public.payments) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  course_title text := (select title from public.courses where id = payment.course_id);
begin
  begin
    perform private.enroll_for(payment.user_id, payment.course_id);
  exception when no_data_found then
    return 'unmatched';
  end;
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', payment.user_id,
    'type', 'payment',
    'level', 'success',
    'title', 'Payment received',
    'message', format('You are enrolled in "%s". Thank you.', course_title),
    'data', jsonb_build_object('course_id', payment.course_id, 'course_title', course_title),
    'related_entity_type', 'payment',
    'related_entity_id', payment.id,
    'dedupe_key', 'payment ' || payment.id
  )));
  return 'enrolled';
end;
$$;

-- Ends what a refunded payment gave. `was_paid`: it had come, and given something, before.
create or replace function private.end_refunded_enrollment(
  payment public.payments,
  was_paid boolean
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  has_ended boolean;
  course_title text := (select title from public.courses where id = payment.course_id);
begin
  if not was_paid or payment.user_id is null or payment.course_id is null then
    return;
  end if;
  update public.enrollments set status = 'cancelled'
  where user_id = payment.user_id
    and course_id = payment.course_id
    and status = 'active'
    and not exists (
      select 1 from public.payments as other
      where other.user_id = payment.user_id
        and other.course_id = payment.course_id
        and other.status = 'succeeded'
        and other.id <> payment.id
    );
  has_ended := found;
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', payment.user_id,
    'type', 'payment',
    'level', 'info',
    'title', 'Payment refunded',
    'message', case
      when has_ended then format(
        'Your payment for "%s" was refunded, and your enrollment has ended. What you have learned is kept.',
        course_title
      )
      else format('Your payment for "%s" was refunded.', course_title)
    end,
    'data', jsonb_build_object('course_id', payment.course_id, 'course_title', course_title),
    'related_entity_type', 'payment',
    'related_entity_id', payment.id,
    'dedupe_key', 'refund ' || payment.id
  )));
end;
$$;
-- <<< payments/record.sql

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
    if is_new then
      perform private.tell_instructors(
        'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
        array[student], array[course], array[enrollment.id], array['{}'::jsonb],
        jsonb_build_object(
          'topic', 'user:' || student,
          'event', 'enrollment.created',
          'payload', jsonb_build_object(
            'courseId', course,
            'courseTitle', (select title from public.courses where id = course),
            'enrolledAt', private.iso_time(enrollment.enrolled_at)
          )
        )::text
      );
    else
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

-- >>> services/keys.sql
-- Administrators see all of a key but its hash.
grant select (
  id, name, prefix, scopes, calls_per_minute, created_by, created_at, expires_at, revoked_at,
  last_used_at
) on private.service_keys to authenticated;
grant select on private.service_key_log to authenticated;

-- Makes a key of which only the hash is known here, and gives its id. For administrators.
create or replace function private.create_service_key(
  name text,
  prefix text,
  key_hash text,
  scopes text[],
  calls_per_minute integer,
  expires_at timestamptz
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  made uuid;
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  insert into private.service_keys (
    name, prefix, key_hash, scopes, calls_per_minute, expires_at, created_by
  )
  values (
    create_service_key.name, create_service_key.prefix, create_service_key.key_hash,
    create_service_key.scopes, create_service_key.calls_per_minute, create_service_key.expires_at,
    auth.uid()
  )
  returning id into made;
  return made;
end;
$$;
grant execute on function private.create_service_key(text, text, text, text[], integer, timestamptz)
to authenticated;

-- Ends a key at once; once revoked, a key stays so. False when there is no such key, or it was
-- revoked before. For administrators.
create or replace function private.revoke_service_key(key uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  update private.service_keys set revoked_at = clock_timestamp()
  where id = key and revoked_at is null;
  return found;
end;
$$;
grant execute on function private.revoke_service_key(uuid) to authenticated;

-- Whoever makes or revokes a key, it is in the log.
create or replace function private.log_service_key_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.service_key_log (key_id, action, actor_id)
  values (new.id, case tg_op when 'INSERT' then 'created' else 'revoked' end, auth.uid());
  return null;
end;
$$;

create or replace trigger log_service_key_created
after insert on private.service_keys
for each row execute function private.log_service_key_change();

create or replace trigger log_service_key_revoked
after update of revoked_at on private.service_keys
for each row when (old.revoked_at is null and new.revoked_at is not null)
execute function private.log_service_key_change();

-- What was granted to a key and when it ended never changes afterwards; keys are never deleted.
create or replace function private.guard_service_key() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op <> 'UPDATE'
    or (old.key_hash, old.prefix, old.scopes) is distinct from (new.key_hash, new.prefix, new.scopes)
    or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  then
    raise exception 'A service key is revoked and replaced, never changed' using errcode = '42501';
  end if;
  return new;
end;
$$;

create or replace trigger guard_service_key
before update or delete on private.service_keys
for each row execute function private.guard_service_key();

-- The log only grows, whoever asks; entries older than a year may go.
create or replace function private.guard_service_key_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'DELETE' and old.created_at < now() - interval '1 year' then
    return old;
  end if;
  raise exception 'The log of service keys only grows' using errcode = '42501';
end;
$$;

create or replace trigger guard_service_key_log
before update or delete on private.service_key_log
for each row execute function private.guard_service_key_log();

create or replace trigger guard_service_key_log_whole
before truncate on private.service_key_log
for each statement execute function private.guard_service_key_log();

-- The key with this hash, if there is one, whatever its state. Remembers the use, to the minute: a
-- busy key doesn't write its row at every call. For the API's own role only.
create or replace function private.use_service_key(hash text)
returns table (
  id uuid, name text, scopes text[], calls_per_minute integer, expired boolean, revoked boolean
)
language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
begin
  update private.service_keys as used set last_used_at = moment
  where used.key_hash = hash
    and used.revoked_at is null
    and coalesce(used.expires_at > moment, true)
    and coalesce(used.last_used_at < moment - interval '1 minute', true);
  return query
    select
      found.id, found.name, found.scopes, found.calls_per_minute,
      coalesce(found.expires_at <= moment, false), found.revoked_at is not null
    from private.service_keys as found
    where found.key_hash = hash;
end;
$$;

-- Records a call that a service has made. For services: the API calls it as one.
create or replace function private.log_service_call(
  key uuid,
  procedure_name text,
  outcome text,
  subject uuid,
  request text
)
returns void
language sql security definer set search_path = ''
as $$
  insert into private.service_key_log (key_id, action, outcome, subject_id, request_id)
  values (key, procedure_name, outcome, subject, request);
$$;
grant execute on function private.log_service_call(uuid, text, text, uuid, text) to service_role;
-- <<< services/keys.sql

-- >>> subscriptions/extend.sql
-- Makes a subscription last until a moment, and gives it: a new one, or the one with this reference
-- (by default, one per person and plan). Never shortens one, so it may be repeated. Raises
-- USER_NOT_FOUND, and ALREADY_EXISTS when the reference is another person's.
create or replace function private.extend_subscription(
  person uuid,
  plan_name text,
  until timestamptz,
  source text,
  reference text
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  extended public.subscriptions;
begin
  if not exists (select 1 from public.users where id = person) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.subscriptions as known (
    user_id, plan, expires_at, provider, provider_reference
  )
  values (person, plan_name, until, source, coalesce(reference, person || ' ' || plan_name))
  on conflict (provider, provider_reference) do update
  set
    plan = excluded.plan,
    expires_at = greatest(known.expires_at, excluded.expires_at),
    status = case when greatest(known.expires_at, excluded.expires_at) > now() then 'active' else known.status end,
    cancelled_at = case when excluded.expires_at > known.expires_at then null else known.cancelled_at end
  where known.user_id = excluded.user_id
  returning * into extended;
  if not found then
    raise exception 'ALREADY_EXISTS' using errcode = '23505';
  end if;
  return jsonb_build_object(
    'id', extended.id,
    'userId', extended.user_id,
    'plan', extended.plan,
    'status', extended.status,
    'expiresAt', private.iso_time(extended.expires_at)
  );
end;
$$;
grant execute on function private.extend_subscription(uuid, text, timestamptz, text, text)
to service_role;
-- <<< subscriptions/extend.sql

-- >>> subscriptions/remind.sql
-- Reminds everybody whose subscription ends in 7, 3 or 1 days, once each for every date at which it
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
    where status = 'active' and expires_at > now() and expires_at <= now() + interval '7 days'
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
    where user_id = due.user_id and type = 'subscription' and not enabled
  );
  get diagnostics reminded = row_count;
  update public.subscriptions set status = 'expired'
  where status = 'active' and expires_at <= now();
  return reminded;
end;
$$;
-- <<< subscriptions/remind.sql

CREATE POLICY "administrators see the errors of browsers" ON "private"."browser_errors" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the runs of jobs" ON "private"."job_runs" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the monitoring" ON "private"."monitoring_minutes" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the jobs" ON "private"."jobs" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the log of service keys" ON "private"."service_key_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see service keys" ON "private"."service_keys" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));
