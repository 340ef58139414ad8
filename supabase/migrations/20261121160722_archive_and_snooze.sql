set check_function_bodies = off;

DROP INDEX "notifications_newest_first";

DROP INDEX "notifications_unread_newest_first";

DROP INDEX "notifications_by_age";

ALTER TABLE "notifications" ADD COLUMN "archived_at" timestamp with time zone;

ALTER TABLE "notifications" ADD COLUMN "snoozed_until" timestamp with time zone;

ALTER TABLE "notifications" ADD COLUMN "woken_at" timestamp with time zone;

ALTER TABLE "notifications" ADD COLUMN "listed_at" timestamp with time zone GENERATED ALWAYS AS (coalesce(woken_at, created_at)) STORED NOT NULL;

ALTER TABLE "notifications" ADD COLUMN "box" text GENERATED ALWAYS AS (case when archived_at is not null then 'archived' when snoozed_until is not null then 'snoozed' else 'inbox' end) STORED NOT NULL;

CREATE INDEX "notifications_by_waking" ON "notifications" USING btree ("snoozed_until") WHERE snoozed_until is not null;

CREATE INDEX "notifications_newest_first" ON "notifications" USING btree ("user_id","box","listed_at","id");

CREATE INDEX "notifications_unread_newest_first" ON "notifications" USING btree ("user_id","box","listed_at","id") WHERE read_at is null;

CREATE INDEX "notifications_by_age" ON "notifications" USING btree ("listed_at");

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_are_in_one_box" CHECK (archived_at is null or snoozed_until is null);

-- >>> delivery/digests.sql
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
-- <<< delivery/digests.sql

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
  ('send-announcements', '10 seconds', 'select private.send_due_announcement()'),
  ('make-digests', '* * * * *', 'select private.make_digests()'),
  ('wake-notifications', '10 seconds', 'select private.wake_notifications()')
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

-- >>> notifications/boxes.sql
-- Where a notification is follows from two moments: archived, snoozed, else in the inbox. Its owner
-- sets them, by the API or by REST. The moment of archiving is the server's, the first one stays;
-- one is snoozed until a moment to come, at most a year away. History that is imported
-- (`homeroom.quiet`) may have been snoozed until any moment.
create or replace function private.check_box() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.archived_at is not null then
    new.archived_at := coalesce(old.archived_at, clock_timestamp());
  end if;
  if new.snoozed_until is distinct from old.snoozed_until
    and (new.snoozed_until <= clock_timestamp()
      or new.snoozed_until > clock_timestamp() + interval '1 year')
  then
    raise exception 'SNOOZE_OUT_OF_RANGE' using errcode = '22023';
  end if;
  return new;
end;
$$;

create or replace trigger check_box
before update of archived_at, snoozed_until on public.notifications
for each row
when ((new.archived_at is not null or new.snoozed_until is not null)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.check_box();

-- Brings back what was snoozed until now: unread, on top of the inbox; its owners are told. Gives
-- how many came back. Run every ten seconds, and not too many at once: many choose eight o'clock,
-- and their topics are locked until all of them are told. What expires while it is snoozed doesn't
-- come back.
create or replace function private.wake_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  woken integer;
begin
  update public.notifications
  set snoozed_until = null, woken_at = clock_timestamp(), read_at = null
  where id in (
    select id from public.notifications
    where snoozed_until <= now()
      and (expires_at is null or expires_at > now())
    order by snoozed_until
    limit 5000
    for no key update skip locked
  );
  get diagnostics woken = row_count;
  return woken;
end;
$$;

-- Both moments are the owner's.
grant update (archived_at, snoozed_until) on public.notifications to authenticated;
-- <<< notifications/boxes.sql

-- >>> notifications/changes.sql
-- Whoever changes notifications, by the API, by REST or by hand: each change is told on the
-- owner's topic, with how it moves the unread count. What the functions of this package write,
-- they tell themselves (`homeroom.telling`); history that is imported is not told
-- (`homeroom.quiet`).

-- Whether a notification is in the unread count: not when it is put away, for good or for a while.
create or replace function private.counts_as_unread(notification public.notifications)
returns boolean
language sql immutable
as $$
  select notification.read_at is null and notification.box = 'inbox';
$$;

create or replace function private.tell_created_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || inserted.user_id,
        'event', 'notification.created',
        'payload', jsonb_build_object(
          'notification', private.notification_json(inserted),
          'unreadDelta', private.counts_as_unread(inserted)::integer
        )
      )::text,
      ',' order by inserted.created_at, inserted.id
    )
    from inserted
  ));
  return null;
end;
$$;

create or replace trigger tell_created_notifications
after insert on public.notifications
referencing new table as inserted
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_created_notifications();

create or replace function private.tell_changed_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || after.user_id,
        'event', 'notification.updated',
        'payload', jsonb_build_object(
          'notification', private.notification_json(after),
          'unreadDelta',
          private.counts_as_unread(after)::integer - private.counts_as_unread(before)::integer
        )
      )::text,
      ',' order by after.created_at, after.id
    )
    from before
    join after using (id)
    where before is distinct from after
  ));
  return null;
end;
$$;

create or replace trigger tell_changed_notifications
after update on public.notifications
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_changed_notifications();

create or replace function private.tell_removed_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || removed.user_id,
        'event', 'notification.removed',
        'payload', jsonb_build_object(
          'id', removed.id,
          'unreadDelta', -private.counts_as_unread(removed)::integer
        )
      )::text,
      ',' order by removed.created_at, removed.id
    )
    from removed
  ));
  return null;
end;
$$;

create or replace trigger tell_removed_notifications
after delete on public.notifications
referencing old table as removed
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_removed_notifications();

-- Reading happens when the server says so; the first reading stays the moment of reading.
create or replace function private.stamp_read_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.read_at := coalesce(old.read_at, clock_timestamp());
  return new;
end;
$$;

create or replace trigger stamp_read_at
before update of read_at on public.notifications
for each row
when (new.read_at is not null
  and current_setting('homeroom.telling', true) is distinct from 'by hand')
execute function private.stamp_read_at();

-- The read mark and the whole row are the owner's; the text is not.
grant update (read_at), delete on public.notifications to authenticated;
grant insert (user_id, type, channel, course_id, enabled), update (enabled), delete
on public.notification_preferences to authenticated;
grant select on public.notification_preferences to authenticated;
-- <<< notifications/changes.sql

-- >>> notifications/functions.sql
-- Locks the head of a user's topic until the transaction ends: who holds it is the only one to
-- write the user's notifications. A transaction that goes on to publish elsewhere after this no
-- longer locks in the order of names, so a deadlock becomes possible (Postgres ends it by failing
-- one): call what uses this in a transaction of its own.
create or replace function private.lock_user_topic(person uuid) returns void
language sql set search_path = ''
as $$
  insert into private.live_topics as head (topic, seq)
  values ('user:' || person, 0)
  on conflict (topic) do update set seq = head.seq;
$$;

-- Tells a user something, and gives the notification's id: the earlier one's where this repeats
-- it, null where the user doesn't want the type. For services and operators; the course, if any,
-- is `data.course_id`. Locks the user's topic. Inside a transaction of the database's own, use
-- `private.notify`.
create or replace function public.create_notification(
  user_id uuid,
  type text,
  title text,
  message text,
  data jsonb default '{}',
  level text default 'info',
  related_entity_type text default null,
  related_entity_id uuid default null,
  expires_at timestamptz default null,
  dedupe_key text default null
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  course_id uuid := (
    select courses.id from public.courses where courses.id::text = data ->> 'course_id'
  );
  events jsonb;
begin
  if not exists (select 1 from public.users where users.id = create_notification.user_id) then
    raise exception 'There is no user %', user_id using errcode = '23503';
  end if;
  perform private.lock_user_topic(user_id);
  events := private.write_notifications(jsonb_build_array(jsonb_build_object(
    'user_id', user_id,
    'type', type,
    'level', level,
    'title', title,
    'message', message,
    'data', data,
    'course_id', course_id,
    'related_entity_type', related_entity_type,
    'related_entity_id', related_entity_id,
    'expires_at', expires_at,
    'dedupe_key', dedupe_key
  )));
  if events = '[]' then
    return (
      select notifications.id from public.notifications
      where notifications.user_id = create_notification.user_id
        and notifications.dedupe_key = create_notification.dedupe_key
    );
  end if;
  perform private.publish(
    events -> 0 ->> 'topic', events -> 0 ->> 'event', events -> 0 -> 'payload'
  );
  return (events -> 0 -> 'payload' -> 'notification' ->> 'id')::uuid;
end;
$$;
grant execute on function public.create_notification(
  uuid, text, text, text, jsonb, text, text, uuid, timestamptz, text
) to service_role;

-- Marks everything in the caller's inbox as read that doesn't stand above what they have seen, and
-- tells it in one event. What is archived or snoozed stays as it is: nobody saw it. The place that
-- they name is one of the inbox: its moment is a notification's `listed_at`. Gives the number of notifications that became read. Locks the caller's topic. It
-- waits for no row, since who holds one may be waiting for the topic: a row that someone else is
-- changing at this moment stays as it is, and is told once more after the event that covers it.
create or replace function public.mark_notifications_read(
  through_created_at timestamptz,
  through_id uuid
)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reader uuid := auth.uid();
  moment timestamptz;
  marked integer;
begin
  if reader is null then
    raise exception 'SIGN_IN_REQUIRED' using errcode = '42501';
  end if;
  perform private.lock_user_topic(reader);
  moment := clock_timestamp();
  perform set_config('homeroom.telling', 'by hand', true);
  update public.notifications
  set read_at = moment
  where id in (
    select id from public.notifications
    where user_id = reader
      and box = 'inbox'
      and read_at is null
      and (listed_at, id) <= (through_created_at, through_id)
    for no key update skip locked
  );
  get diagnostics marked = row_count;
  perform set_config('homeroom.telling', '', true);
  if marked > 0 then
    perform private.publish(
      'user:' || reader,
      'notifications.read',
      jsonb_build_object(
        'through', jsonb_build_object(
          'createdAt', private.iso_time(through_created_at), 'id', through_id
        ),
        'readAt', private.iso_time(moment),
        'unreadDelta', -marked
      )
    );
    perform private.publish(
      'user:' || reader,
      'notification.updated',
      jsonb_build_object(
        'notification', private.notification_json(passed_over), 'unreadDelta', 0
      )
    )
    from public.notifications as passed_over
    where user_id = reader
      and box = 'inbox'
      and read_at is null
      and (listed_at, id) <= (through_created_at, through_id);
  end if;
  return marked;
end;
$$;
grant execute on function public.mark_notifications_read(timestamptz, uuid) to authenticated;

-- Removes what has expired; its owners are told. Run each minute.
create or replace function private.expire_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from public.notifications
  where id in (
    select id from public.notifications
    where expires_at <= now()
    order by expires_at
    limit 10000
    for update skip locked
  );
  get diagnostics removed = row_count;
  return removed;
end;
$$;

-- Removes what was read and is older than 30 days (90 when it was archived, so meant to be kept),
-- what is older than 90 days, and what has expired; gives the number removed. What is snoozed is
-- promised to come back, and counts as new when it does. Run daily. For services and operators only.
create or replace function public.cleanup_old_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from public.notifications
  where id in (
    select id from public.notifications
    where (listed_at < now() - interval '30 days' and read_at is not null and box = 'inbox')
      or (listed_at < now() - interval '90 days' and box <> 'snoozed')
      or expires_at <= now()
    for update skip locked
  );
  get diagnostics removed = row_count;
  return removed;
end;
$$;
grant execute on function public.cleanup_old_notifications() to service_role;
-- <<< notifications/functions.sql

-- >>> notifications/write.sql
-- A notification as the API and the events show it.
create or replace function private.notification_json(notification public.notifications)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', notification.id,
    'type', notification.type,
    'level', notification.level,
    'title', notification.title,
    'message', notification.message,
    'data', notification.data,
    'courseId', notification.course_id,
    'relatedEntityType', notification.related_entity_type,
    'relatedEntityId', notification.related_entity_id,
    'count', notification.count,
    'readAt', private.iso_time(notification.read_at),
    'createdAt', private.iso_time(notification.created_at),
    'expiresAt', private.iso_time(notification.expires_at),
    'archivedAt', private.iso_time(notification.archived_at),
    'snoozedUntil', private.iso_time(notification.snoozed_until),
    'listedAt', private.iso_time(notification.listed_at)
  );
$$;
grant execute on function private.notification_json(public.notifications)
to authenticated, service_role;

-- The types whose repeats are merged. Each text of the others says something of its own.
create or replace function private.is_merged(type text) returns boolean
language sql immutable
as $$
  select type in ('enrollment', 'workshop_registration', 'course_completion', 'review', 'payment');
$$;

-- What a merged notification says.
create or replace function private.merged_title(type text) returns text
language sql immutable
as $$
  select case type
    when 'enrollment' then 'New students enrolled'
    when 'workshop_registration' then 'New workshop registrations'
    when 'course_completion' then 'Course completions'
    when 'review' then 'New reviews'
    when 'payment' then 'Payments received'
  end;
$$;
create or replace function private.merged_message(type text, count integer, course_title text)
returns text
language plpgsql immutable
as $$
begin
  return format(
    case type
      when 'enrollment' then '%s students enrolled in "%s"'
      when 'workshop_registration' then '%s students registered for workshops of "%s"'
      when 'course_completion' then '%s students completed "%s"'
      when 'review' then '%s students reviewed "%s"'
      when 'payment' then '%s payments received for "%s"'
    end,
    count,
    course_title
  );
end;
$$;

-- Queues notifications, to be written when this transaction commits. Each intent is an object with
-- the columns of `notifications`: user_id, type, title, message and what else is known. One that
-- can't be written is recorded in `notification_failures`, and never stops the transaction.
create or replace function private.notify(intents jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live(
    'homeroom.notifications',
    (select string_agg(value::text, ',' order by position)
     from jsonb_array_elements(intents) with ordinality as intent (value, position))
  );
end;
$$;

-- Intents that belong together (same recipient, mergeable type and course) become one, the newest
-- of them, whose `count` says how many they are.
create or replace function private.group_intents(intents jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  with intent as (
    select
      value,
      position,
      case
        when private.is_merged(value ->> 'type')
          and value ->> 'course_id' is not null
          and value ->> 'dedupe_key' is null
        then concat_ws(' ', value ->> 'user_id', value ->> 'type', value ->> 'course_id')
        else position::text
      end as belongs_to
    from jsonb_array_elements(intents) with ordinality as item (value, position)
  ), newest as (
    select distinct on (belongs_to)
      value || jsonb_build_object('count', count(*) over (partition by belongs_to)) as value,
      position
    from intent
    order by belongs_to, position desc
  )
  select jsonb_agg(value order by position) from newest;
$$;

-- Writes notifications and gives their events. The caller has the recipients' topics locked, so
-- nobody else merges at the same time. What a recipient doesn't want is left out, what has a known
-- dedupe key too. A repeat within a minute for the same recipient, type and course goes into the
-- unread one that is in the inbox. It waits for no row: one that is being changed by someone else is left
-- alone, and a new one is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql
as $$
declare
  moment timestamptz := clock_timestamp();
  events jsonb := '[]';
  intent jsonb;
  wanted public.notifications;
  written jsonb;
  is_merged boolean;
  is_unwanted boolean;
  earlier_id uuid;
  earlier_count integer;
  course_title text;
  setting text;
begin
  if intents = '[]' then
    return events;
  end if;
  setting := set_config('homeroom.telling', 'by hand', true);
  if jsonb_array_length(intents) > 1 then
    intents := private.group_intents(intents);
  end if;
  for at in 0 .. jsonb_array_length(intents) - 1 loop
    wanted := jsonb_populate_record(null::public.notifications, intents -> at);
    wanted.count := coalesce(wanted.count, 1);
    is_merged := private.is_merged(wanted.type)
      and wanted.course_id is not null
      and wanted.dedupe_key is null;
    select
      -- The course's own first: the index has them in this order.
      not coalesce((
        select enabled from public.notification_preferences
        where user_id = wanted.user_id and type = wanted.type and channel = 'app'
          and (course_id is null or course_id = wanted.course_id)
        order by course_id
        limit 1
      ), true),
      earlier.id,
      earlier.count
    into is_unwanted, earlier_id, earlier_count
    from (select 1) as once
    left join lateral (
      select id, count
      from public.notifications
      where is_merged
        and user_id = wanted.user_id
        and box = 'inbox'
        and read_at is null
        and listed_at > moment - interval '1 minute'
        and woken_at is null
        and type = wanted.type
        and course_id = wanted.course_id
      order by listed_at desc, id desc
      limit 1
      for no key update skip locked
    ) as earlier on true;
    if is_unwanted then
      continue;
    end if;

    wanted.count := wanted.count + coalesce(earlier_count, 0);
    if is_merged and wanted.count > 1 then
      course_title := wanted.data ->> 'course_title';
      if course_title is null then
        select title into course_title from public.courses where id = wanted.course_id;
      end if;
      wanted.title := private.merged_title(wanted.type);
      wanted.message := private.merged_message(wanted.type, wanted.count, course_title);
    end if;

    if earlier_id is not null then
      update public.notifications
      set
        count = wanted.count,
        title = wanted.title,
        message = wanted.message,
        data = data || coalesce(wanted.data, '{}'),
        related_entity_type = wanted.related_entity_type,
        related_entity_id = wanted.related_entity_id
      where id = earlier_id
      returning private.notification_json(notifications) into written;
    else
      insert into public.notifications (
        user_id, type, level, title, message, data, course_id, related_entity_type,
        related_entity_id, count, dedupe_key, created_at, expires_at
      )
      values (
        wanted.user_id, wanted.type, coalesce(wanted.level, 'info'), wanted.title, wanted.message,
        coalesce(wanted.data, '{}'), wanted.course_id, wanted.related_entity_type,
        wanted.related_entity_id, wanted.count, wanted.dedupe_key, moment, wanted.expires_at
      )
      on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
      returning private.notification_json(notifications) into written;
      if not found then
        continue;
      end if;
    end if;
    events := events || jsonb_build_object(
      'topic', 'user:' || wanted.user_id,
      'event', case when earlier_id is null then 'notification.created' else 'notification.updated' end,
      'payload', jsonb_build_object(
        'notification', written, 'unreadDelta', (earlier_id is null)::integer
      )
    );
  end loop;
  setting := set_config('homeroom.telling', '', true);
  return events;
end;
$$;
-- <<< notifications/write.sql
