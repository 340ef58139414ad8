-- Digests by e-mail, in two steps. A job makes those that are due: decided here, where the time
-- zones are, once for a user and a day whoever asks. The portals' servers, which can send mail, take
-- them one at a time: a lease keeps others away, so a server that dies while it sends loses nothing.
-- If it dies between the mail server's "taken" and our note of it, the mail goes out twice; both
-- carry the digest's id as Message-ID, by which mail programs show one.

-- The next moment after `after` at which a digest is due: at its hour, on a day (of the week) that
-- had none yet, where the user is. An hour that a change of the clock skips is taken as Postgres
-- does, an hour later; one that comes twice counts once, since the day does.
create or replace function private.next_digest_at(
  settings public.notification_settings,
  time_zone text,
  after timestamptz
)
returns timestamptz
language plpgsql stable set search_path = ''
as $$
declare
  day date := greatest((after at time zone time_zone)::date, settings.digest_period + 1);
  due timestamptz;
begin
  if settings.digest = 'off' then
    return null;
  end if;
  loop
    due := (day + make_time(settings.digest_hour, 0, 0)) at time zone time_zone;
    if due > after and (
      settings.digest = 'daily' or extract(isodow from day) = settings.digest_weekday
    ) then
      return due;
    end if;
    day := day + 1;
  end loop;
end;
$$;

-- Plans the next digest when someone changes theirs. One that is turned on tells what comes from
-- then on.
create or replace function private.plan_digest() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.digest_since := case when new.digest <> 'off' then coalesce(new.digest_since, now()) end;
  new.digest_due_at := private.next_digest_at(
    new, (select time_zone from public.users where id = new.user_id), now()
  );
  return new;
end;
$$;

create or replace trigger plan_digest
before insert or update of digest, digest_weekday, digest_hour on public.notification_settings
for each row execute function private.plan_digest();

-- Who moves to another time zone has their digest at the same hour there.
create or replace function private.move_digest() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.notification_settings set digest = digest
  where user_id = new.id and digest <> 'off';
  return null;
end;
$$;

create or replace trigger move_digest
after update of time_zone on public.users
for each row
when (old.time_zone is distinct from new.time_zone)
execute function private.move_digest();

-- Whether a type is told on a channel where nobody has said anything. By e-mail, what has a date
-- that one could miss, and the word of one's instructors.
create or replace function private.is_wanted_by_default(type text, channel text) returns boolean
language sql immutable
as $$
  select channel = 'app' or type in ('announcement', 'workshop', 'subscription');
$$;
grant execute on function private.is_wanted_by_default(text, text) to authenticated;

-- What a digest tells: what came in its time, isn't read, and is wanted by e-mail, newest first.
create or replace function private.digest_notifications(person uuid, since timestamptz, through timestamptz)
returns setof public.notifications
language plpgsql stable
as $$
begin
  return query
  select notification.*
  from public.notifications as notification
  where notification.user_id = person
    and notification.box = 'inbox'
    and notification.read_at is null
    and notification.listed_at >= since
    and notification.listed_at < through
    and (notification.expires_at is null or notification.expires_at > now())
    and coalesce(
      (
        select preference.enabled
        from public.notification_preferences as preference
        where preference.user_id = person
          and preference.type = notification.type
          and preference.channel = 'email'
          and (preference.course_id is null or preference.course_id = notification.course_id)
        order by preference.course_id
        limit 1
      ),
      private.is_wanted_by_default(notification.type, 'email')
    )
  order by notification.listed_at desc, notification.id desc;
end;
$$;

-- Makes the digests that are due, and plans the next of each; who has nothing to be told gets none.
-- A digest ends a minute ago: what was written by then is committed by now. Those that nobody has
-- sent for a day are given up: what they tell is in the portal anyway. Gives how many were made. Run
-- each minute.
create or replace function private.make_digests() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := now();
  ends timestamptz := moment - interval '1 minute';
  due record;
  own public.notification_settings;
  made integer := 0;
begin
  update private.notification_digests
  set status = 'failed', ended_at = moment, error = coalesce(error, 'Nobody sent it for a day')
  where status = 'queued' and created_at < moment - interval '1 day' and retry_at <= moment;
  delete from private.notification_digests where created_at < moment - interval '90 days';

  for due in
    select settings, users.time_zone
    from public.notification_settings as settings
    join public.users on users.id = settings.user_id
    where settings.digest_due_at <= moment
      and users.is_active
      and not private.is_quiet(settings, users.time_zone, moment)
    order by settings.digest_due_at
    limit 5000
    for no key update of settings skip locked
  loop
    own := due.settings;
    own.digest_period := (own.digest_due_at at time zone due.time_zone)::date;
    insert into private.notification_digests (user_id, period, since, through)
    select own.user_id, own.digest_period, own.digest_since, ends
    where exists (
      select 1
      from private.digest_notifications(own.user_id, own.digest_since, ends)
    )
    on conflict on constraint notification_digests_once_per_period do nothing;
    made := made + found::integer;
    update public.notification_settings
    set
      digest_period = own.digest_period,
      digest_since = greatest(own.digest_since, ends),
      digest_due_at = private.next_digest_at(own, due.time_zone, moment)
    where user_id = own.user_id;
  end loop;
  return made;
end;
$$;

-- Takes the next digest to send, for ten minutes, and gives what its mail needs; null where there is
-- none. Not in its reader's quiet hours. One that has nothing to tell any more, or that its reader has
-- turned off, is dropped. `items` are the newest twenty of `total`. For the portals' servers, as role
-- `postgres`, in a transaction of its own.
create or replace function private.claim_digest() returns jsonb
language plpgsql
as $$
declare
  taken record;
  items jsonb;
  total integer;
begin
  loop
    select
      digest.id, digest.user_id, digest.since, digest.through, digest.attempts,
      settings.digest as frequency, settings.digest_key,
      users.email, users.first_name, users.role, users.time_zone
    into taken
    from private.notification_digests as digest
    join public.users on users.id = digest.user_id
    join public.notification_settings as settings on settings.user_id = digest.user_id
    where digest.status = 'queued'
      and digest.retry_at <= now()
      and users.is_active
      and not private.is_quiet(settings, users.time_zone, now())
    order by digest.retry_at
    limit 1
    for no key update of digest skip locked;
    if not found then
      return null;
    end if;

    select
      count(*)::integer,
      jsonb_agg(private.notification_json(notification) order by position)
        filter (where position <= 20)
    into total, items
    from (
      select told::public.notifications as notification, row_number() over () as position
      from private.digest_notifications(taken.user_id, taken.since, taken.through) as told
      where taken.frequency <> 'off'
    ) as told;
    if total > 0 then
      update private.notification_digests
      set attempts = attempts + 1, retry_at = now() + interval '10 minutes'
      where id = taken.id;
      return jsonb_build_object(
        'id', taken.id,
        'email', taken.email,
        'firstName', taken.first_name,
        'role', taken.role,
        'timeZone', taken.time_zone,
        'frequency', taken.frequency,
        'key', taken.digest_key,
        'total', total,
        'items', items
      );
    end if;
    update private.notification_digests
    set status = 'dropped', ended_at = now()
    where id = taken.id;
  end loop;
end;
$$;

-- Notes how the sending of a digest ended: without a fault it is sent. One that failed is taken again
-- after 1, 4, 16 and 64 minutes, then never.
create or replace function private.end_digest(digest uuid, fault text default null) returns void
language sql
as $$
  update private.notification_digests
  set
    status = case
      when fault is null then 'sent'
      when attempts >= 5 then 'failed'
      else 'queued'
    end,
    ended_at = case when fault is null or attempts >= 5 then now() end,
    retry_at = now() + interval '1 minute' * 4 ^ (attempts - 1),
    error = left(fault, 1000)
  where id = digest and status = 'queued';
$$;

-- Turns off the digest whose mail this came in: the key is in its last line. False where it is nobody's.
create or replace function public.stop_digest(key uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update public.notification_settings set digest = 'off' where digest_key = key;
  return found;
end;
$$;
grant execute on function public.stop_digest(uuid) to anon, authenticated;
