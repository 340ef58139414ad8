set check_function_bodies = off;

CREATE TABLE "private"."notification_digests" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"period" date NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"through" timestamp with time zone NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"retry_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "notification_digests_once_per_period" UNIQUE("user_id","period"),
	CONSTRAINT "notification_digests_have_a_known_status" CHECK (status in ('queued', 'sent', 'dropped', 'failed'))
);

ALTER TABLE "private"."notification_digests" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "notification_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"has_quiet_hours" boolean DEFAULT false NOT NULL,
	"quiet_from" time(0) DEFAULT '22:00' NOT NULL,
	"quiet_to" time(0) DEFAULT '07:00' NOT NULL,
	"digest" text DEFAULT 'off' NOT NULL,
	"digest_weekday" smallint DEFAULT 1 NOT NULL,
	"digest_hour" smallint DEFAULT 8 NOT NULL,
	"digest_due_at" timestamp with time zone,
	"digest_since" timestamp with time zone,
	"digest_period" date,
	"digest_key" uuid DEFAULT gen_random_uuid() NOT NULL,
	CONSTRAINT "notification_settings_once_per_digest_key" UNIQUE("digest_key"),
	CONSTRAINT "notification_settings_have_quiet_hours_that_end" CHECK (quiet_from <> quiet_to),
	CONSTRAINT "notification_settings_have_a_known_digest" CHECK (digest in ('off', 'daily', 'weekly')),
	CONSTRAINT "notification_settings_have_a_weekday" CHECK (digest_weekday between 1 and 7),
	CONSTRAINT "notification_settings_have_an_hour" CHECK (digest_hour between 0 and 23)
);

ALTER TABLE "notification_settings" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "notification_preferences" DROP CONSTRAINT "notification_preferences_once_per_type";

ALTER TABLE "notification_preferences" ADD COLUMN "channel" text DEFAULT 'app' NOT NULL;

ALTER TABLE "notification_preferences" ADD COLUMN "course_id" uuid;

ALTER TABLE "private"."notification_digests" ADD CONSTRAINT "notification_digests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notification_settings" ADD CONSTRAINT "notification_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "notification_digests_by_retry" ON "private"."notification_digests" USING btree ("retry_at") WHERE status = 'queued';

CREATE INDEX "notification_digests_by_age" ON "private"."notification_digests" USING btree ("created_at");

CREATE INDEX "notification_settings_by_due_digest" ON "notification_settings" USING btree ("digest_due_at") WHERE digest_due_at is not null;

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "notification_preferences_by_course" ON "notification_preferences" USING btree ("course_id");

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_once_per_type_channel_and_course" UNIQUE NULLS NOT DISTINCT("user_id","type","channel","course_id");

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_have_a_known_channel" CHECK (channel in ('app', 'email'));

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
    left join public.notification_preferences as general
      on general.user_id = enrollment.user_id and general.type = 'announcement'
      and general.channel = 'app' and general.course_id is null
    left join public.notification_preferences as own
      on own.user_id = enrollment.user_id and own.type = 'announcement'
      and own.channel = 'app' and own.course_id = target.course_id
    where target.announcement_id = announcement.id
      and coalesce(own.enabled, general.enabled, true)
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
    and notification.read_at is null
    and notification.created_at >= since
    and notification.created_at < through
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
  order by notification.created_at desc, notification.id desc;
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

-- >>> delivery/quiet-hours.sql
-- Whether it is quiet for someone at a moment, by the clock where they are. The end belongs to the
-- day. A clock that is set forward or back changes nothing: it is what the clock shows that counts.
create or replace function private.is_quiet(
  settings public.notification_settings,
  time_zone text,
  at timestamptz
)
returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  clock time := (at at time zone time_zone)::time;
begin
  return settings.has_quiet_hours and case
    when settings.quiet_from < settings.quiet_to
    then clock >= settings.quiet_from and clock < settings.quiet_to
    else clock >= settings.quiet_from or clock < settings.quiet_to
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
      'to', left(coalesce(settings.quiet_to, '07:00')::text, 5)
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
  user_id, has_quiet_hours, quiet_from, quiet_to, digest, digest_weekday, digest_hour
), update (
  has_quiet_hours, quiet_from, quiet_to, digest, digest_weekday, digest_hour
), select (
  user_id, has_quiet_hours, quiet_from, quiet_to, digest, digest_weekday, digest_hour
)
on public.notification_settings to authenticated;
-- <<< delivery/quiet-hours.sql

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
  ('make-digests', '* * * * *', 'select private.make_digests()')
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

-- >>> notifications/changes.sql
-- Whoever changes notifications, by the API, by REST or by hand: each change is told on the
-- owner's topic, with how it moves the unread count. What the functions of this package write,
-- they tell themselves (`homeroom.telling`); history that is imported is not told
-- (`homeroom.quiet`).
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
          'unreadDelta', (inserted.read_at is null)::integer
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
          'unreadDelta', (after.read_at is null)::integer - (before.read_at is null)::integer
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
          'unreadDelta', -(removed.read_at is null)::integer
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
    'expiresAt', private.iso_time(notification.expires_at)
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
-- unread one that is there. It waits for no row: one that is being changed by someone else is left
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
        and read_at is null
        and created_at > moment - interval '1 minute'
        and type = wanted.type
        and course_id = wanted.course_id
      order by created_at desc, id desc
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
    where user_id = due.user_id and type = 'subscription' and channel = 'app'
      and course_id is null and not enabled
  );
  get diagnostics reminded = row_count;
  update public.subscriptions set status = 'expired'
  where status = 'active' and expires_at <= now();
  return reminded;
end;
$$;
-- <<< subscriptions/remind.sql

CREATE POLICY "users decide when they are told" ON "notification_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

ALTER POLICY "users keep their own preferences" ON "notification_preferences" TO authenticated USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()) and (course_id is null or course_id in (select private.joined_course_ids())));
