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
