set check_function_bodies = off;

CREATE TABLE "private"."monitoring_watchers" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"until" timestamp with time zone NOT NULL
);

ALTER TABLE "private"."monitoring_watchers" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "notification_settings" ADD COLUMN "quiet_days" smallint[] DEFAULT '{1,2,3,4,5,6,7}' NOT NULL;

ALTER TABLE "private"."monitoring_watchers" ADD CONSTRAINT "monitoring_watchers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notification_settings" ADD CONSTRAINT "notification_settings_have_quiet_days" CHECK (cardinality(quiet_days) between 1 and 7 and quiet_days <@ '{1,2,3,4,5,6,7}'::smallint[]);

-- >>> delivery/quiet-hours.sql
-- Whether it is quiet for someone at a moment, by the clock where they are. The end belongs to the
-- day, and a night to the day on which it begins. A clock that is set forward or back changes nothing: it is what the clock shows that counts.
create or replace function private.is_quiet(
  settings public.notification_settings,
  time_zone text,
  at timestamptz
)
returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  clock timestamp := at at time zone time_zone;
  is_over_midnight boolean := settings.quiet_from > settings.quiet_to;
  -- The day on which the quiet hours began that this moment would lie in.
  began date := clock::date - (is_over_midnight and clock::time < settings.quiet_to)::integer;
begin
  return settings.has_quiet_hours
    and extract(isodow from began)::smallint = any(settings.quiet_days)
    and case
      when is_over_midnight
      then clock::time >= settings.quiet_from or clock::time < settings.quiet_to
      else clock::time >= settings.quiet_from and clock::time < settings.quiet_to
    end;
end;
$$;

-- The first moment from `at` on at which it isn't quiet for someone.
create or replace function private.not_quiet_from(
  settings public.notification_settings,
  time_zone text,
  at timestamptz
)
returns timestamptz
language plpgsql stable set search_path = ''
as $$
declare
  clock timestamp := at at time zone time_zone;
  ends date := clock::date + (clock::time >= settings.quiet_to)::integer;
begin
  if not private.is_quiet(settings, time_zone, at) then
    return at;
  end if;
  return (ends + settings.quiet_to) at time zone time_zone;
end;
$$;

-- Quiet hours and digest of the caller, with when the next digest comes: not before quiet hours end.
create or replace function private.own_notification_settings() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  settings public.notification_settings;
  time_zone text;
begin
  select users.time_zone into time_zone from public.users where id = auth.uid();
  select * into settings from public.notification_settings where user_id = auth.uid();
  return jsonb_build_object(
    'timeZone', time_zone,
    'quietHours', jsonb_build_object(
      'isOn', coalesce(settings.has_quiet_hours, false),
      'from', left(coalesce(settings.quiet_from, '22:00')::text, 5),
      'to', left(coalesce(settings.quiet_to, '07:00')::text, 5),
      'days', to_jsonb(coalesce(settings.quiet_days, '{1,2,3,4,5,6,7}'))
    ),
    'digest', jsonb_build_object(
      'frequency', coalesce(settings.digest, 'off'),
      'weekday', coalesce(settings.digest_weekday, 1),
      'hour', coalesce(settings.digest_hour, 8)
    ),
    'nextDigestAt', private.iso_time(
      private.not_quiet_from(settings, time_zone, greatest(settings.digest_due_at, now()))
    )
  );
end;
$$;
grant execute on function private.own_notification_settings() to authenticated;

-- What is the user's to decide; when the next digest is due isn't.
grant insert (
  user_id, has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
), update (
  has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
), select (
  user_id, has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
)
on public.notification_settings to authenticated;
-- <<< delivery/quiet-hours.sql

-- >>> messages/rights.sql
grant select on public.conversations, public.conversation_readers, public.message_reports
to authenticated;
grant insert (id, sender_id, recipient_id, content) on public.messages to authenticated;
grant select, insert (blocker_id, blocked_id), delete on public.message_blocks to authenticated;
grant select, insert (user_id, sends_receipts, shows_typing), update (sends_receipts, shows_typing)
on public.message_settings to authenticated;
grant select, insert (course_id, students_may_write), update (students_may_write)
on public.course_message_settings to authenticated;

-- The courses someone takes part in, and whether they belong to the staff.
create or replace function private.memberships(person uuid)
returns table (course_id uuid, is_staff boolean)
language sql stable security definer set search_path = ''
as $$
  select course_id, true from public.course_instructors where user_id = person
  union all
  select course_id, false from public.enrollments
  where user_id = person and status <> 'cancelled';
$$;

-- Whether one person may write another: they share a course, where one of them belongs to the staff
-- or students may write each other; or one is an administrator; and none has blocked the other.
create or replace function private.can_message(sender uuid, recipient uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select (
    select count(*) = 2 from public.users where id in (sender, recipient) and is_active
  ) and not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((sender, recipient), (recipient, sender))
  ) and (
    exists (select 1 from public.users where id in (sender, recipient) and role = 'admin')
    or exists (
      select 1
      from private.memberships(sender) as own
      join private.memberships(recipient) as theirs using (course_id)
      left join public.course_message_settings as setting using (course_id)
      where own.is_staff or theirs.is_staff or coalesce(setting.students_may_write, true)
    )
  );
$$;

grant execute on function private.can_message(uuid, uuid) to authenticated;

-- Whether two people see of each other what they have read: both have to want it.
create or replace function private.shares_receipts(one uuid, other uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_settings
    where user_id in (one, other) and not sends_receipts
  );
$$;

-- Those whom the caller may write, whose name, or last name, begins with `words`: at most `max`, by
-- name.
create or replace function private.find_people_to_message(words text, max integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.person_json(id) order by first_name, last_name, id), '[]')
  from (
    select distinct person.id, person.first_name, person.last_name
    from private.memberships(auth.uid()) as own
    join lateral (
      select user_id from public.course_instructors where course_id = own.course_id
      union all
      select user_id from public.enrollments
      where course_id = own.course_id and status <> 'cancelled'
    ) as theirs on true
    join public.users as person on person.id = theirs.user_id
    where person.id <> auth.uid()
      and (
        person.first_name || ' ' || person.last_name
          ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
        or person.last_name ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
      )
      and private.can_message(auth.uid(), person.id)
    order by person.first_name, person.last_name, person.id
    limit least(max, 50)
  ) as people;
$$;
grant execute on function private.find_people_to_message(text, integer) to authenticated;
-- <<< messages/rights.sql

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

-- The caller, an administrator, looks at the system's page: what is counted in the next minute is told.
create or replace function private.watch_monitoring() returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  delete from private.monitoring_watchers where until < now() - interval '1 hour';
  insert into private.monitoring_watchers (user_id, until)
  values (auth.uid(), now() + interval '1 minute')
  on conflict (user_id) do update set until = excluded.until;
end;
$$;
grant execute on function private.watch_monitoring() to authenticated;

-- Adds what a portal has counted since it last did so to the present minute. `figures` has the
-- columns of `monitoring_minutes`; tabs are the most at once. Administrators who look are told. For the API's own role only.
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
  -- That there is something new; what it is, they ask: much of it is sums.
  perform private.publish('user:' || watcher.user_id, 'monitoring.changed', '{}')
  from private.monitoring_watchers as watcher
  join public.users on users.id = watcher.user_id and users.role = 'admin' and users.is_active
  where watcher.until > now();
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
  select 'unsent_digests', count(*) from private.notification_digests
  where status = 'queued'
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
