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
