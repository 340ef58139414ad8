set check_function_bodies = off;

DROP INDEX "notifications_of_announcement";

CREATE INDEX "notifications_of_announcement" ON "notifications" USING btree ("dedupe_key") WHERE type = 'announcement';

-- >>> activity/activity.sql
-- What a student did goes to the staff of the course, at once.
create or replace function private.tell_student_activity() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'course:' || inserted.course_id || ':staff',
        'event', 'activity.created',
        'payload', jsonb_build_object(
          'activity', jsonb_build_object(
            'id', inserted.id,
            'type', inserted.activity_type,
            'userId', inserted.user_id,
            'studentName', private.display_name(users.first_name, users.last_name),
            'createdAt', private.iso_time(inserted.created_at),
            'data', inserted.data
          )
        )
      )::text,
      ',' order by inserted.created_at, inserted.id
    )
    from inserted
    join public.users on users.id = inserted.user_id
  ));
  return null;
end;
$$;

create or replace trigger tell_student_activity
after insert on public.student_activity
referencing new table as inserted
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_student_activity();

-- Writes what students did into the feeds of the courses, tells it there, and notifies every
-- instructor of each. The four arrays hold one happening per place; `sentence` has two places: the
-- student's name and the course's title. Where `enrolled_at` is given, the students hear of their
-- enrollment, too, on all their devices. All in one statement, with lookups by key rather than joins:
-- for the one happening of an everyday transaction, starting a statement costs more than what it does.
create or replace function private.tell_instructors(
  kind text,
  activity text,
  title text,
  sentence text,
  entity_type text,
  students uuid[],
  course_ids uuid[],
  entities uuid[],
  details jsonb[],
  enrolled_at timestamptz[] default null
)
returns void
language plpgsql
as $$
declare
  welcomes text;
  events text;
  intents text;
  setting text := set_config('homeroom.telling', 'by hand', true);
begin
  with happened as materialized (
    select
      gen_random_uuid() as id,
      happening.*,
      (
        select private.display_name(first_name, last_name) from public.users
        where users.id = happening.student
      ) as student_name,
      (
        select courses.title from public.courses
        where courses.id = happening.course
      ) as course_title
    from unnest(students, course_ids, entities, details, enrolled_at)
      as happening (student, course, entity, detail, enrollment)
  ), recorded as (
    insert into public.student_activity (id, user_id, course_id, activity_type, data, created_at)
    select id, student, course, activity, detail, now() from happened
  )
  select
    string_agg(
      json_build_object(
        'topic', 'user:' || student,
        'event', 'enrollment.created',
        'payload', json_build_object(
          'courseId', course,
          'courseTitle', course_title,
          'enrolledAt', private.iso_time(enrollment)
        )
      )::text,
      ','
    ) filter (where enrollment is not null),
    string_agg(
      json_build_object(
        'topic', 'course:' || course || ':staff',
        'event', 'activity.created',
        'payload', json_build_object(
          'activity', json_build_object(
            'id', id,
            'type', activity,
            'userId', student,
            'studentName', student_name,
            'createdAt', private.iso_time(now()),
            'data', detail
          )
        )
      )::text,
      ','
    ),
    string_agg(
      (
        select string_agg(
          json_build_object(
            'user_id', instructors.user_id,
            'type', kind,
            'title', tell_instructors.title,
            'message', format(sentence, student_name, course_title),
            'course_id', course,
            'related_entity_type', entity_type,
            'related_entity_id', entity,
            'data', detail || jsonb_build_object(
              'course_id', course,
              'course_title', course_title,
              'student_id', student,
              'student_name', student_name
            )
          )::text,
          ','
        )
        from public.course_instructors as instructors
        where instructors.course_id = course and instructors.user_id <> student
      ),
      ','
    )
  into welcomes, events, intents
  from happened;
  setting := set_config('homeroom.telling', '', true);
  setting := private.queue_live('homeroom.events', concat_ws(',', welcomes, events));
  setting := private.queue_live('homeroom.notifications', intents);
end;
$$;
-- <<< activity/activity.sql

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
    where type = 'announcement'
      and dedupe_key = 'announcement:' || announcement.id
      and read_at is not null
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
  moments timestamptz[];
  setting text;
begin
  select
    array_agg(user_id),
    array_agg(course_id),
    array_agg(id),
    array_agg('{}'::jsonb),
    array_agg(enrolled_at)
  into students, course_ids, entities, details, moments
  from inserted
  where status <> 'cancelled';
  if students is null then
    return null;
  end if;
  setting := private.tell_instructors(
    'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
    students, course_ids, entities, details, moments
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
  returned_at timestamptz[];
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
    array_agg(after.enrolled_at) filter (where before.status = 'cancelled'),
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
    returned, returned_to, returns, returned_details, returned_at,
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
      returned, returned_to, returns, returned_details, returned_at
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

-- >>> live/epochs.sql
-- How losing a right ends a subscription. Realtime asks for rights at the join and not again until
-- the client's token changes, which a hostile client never does; and a hosted server can't be told
-- to throw anybody out. So a topic's events are sent on a channel whose name carries an *epoch*:
-- `course:<id>` at first, `course:<id>:e3` when three times somebody has lost the right to it. Who
-- takes a right away moves the topic in the same transaction: its events, from those of this
-- transaction on, go to a channel that only readers can join, and none before the move. Numbers go
-- on as if nothing had happened, so whoever moves late catches up. What clients send each other
-- (`:live`) moves with it.

-- The channel of a topic. (Without the cast it would be no immutable expression, and Postgres would
-- plan the function anew for each event.)
create or replace function private.channel_of(topic text, epoch bigint) returns text
language sql immutable
as $$
  select case when epoch = 0 then topic else topic || ':e' || epoch::text end;
$$;

-- Who may join a channel: the readers of its topic, while it is the topic's channel. An epoch is
-- written in one way only, so no second name leads to the same topic. `:live` is for whom its
-- topic is for. Evaluated in one snapshot: who sees the epoch sees the loss of right behind it.
create or replace function private.can_join_channel(channel text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  parts text[] := regexp_match(channel, '^(.+?)(?::e([1-9][0-9]{0,17}))?(?::live)?$');
  current_epoch bigint := (select epoch from private.live_topics where topic = parts[1]);
begin
  return coalesce(parts[2]::bigint, 0) = coalesce(current_epoch, 0)
    and private.can_read_topic(parts[1], person);
end;
$$;
grant execute on function private.can_join_channel(text, uuid) to anon, authenticated;

-- Who may broadcast and track: those who may join, and only on `…:live`. On a topic itself only
-- the database speaks.
create or replace function private.can_send_on_channel(channel text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select channel like '%:live' and private.can_join_channel(channel, person);
$$;
grant execute on function private.can_send_on_channel(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token. Who has no account reads what is
-- everybody's (a certificate's topic), and speaks nowhere.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to anon, authenticated
using (
  extension in ('broadcast', 'presence')
  and private.can_join_channel((select realtime.topic()), (select auth.uid()))
);

drop policy if exists "readers of a topic speak beside it, never on it" on realtime.messages;
create policy "readers of a topic speak beside it, never on it" on realtime.messages
for insert to authenticated
with check (
  extension in ('broadcast', 'presence')
  and private.can_send_on_channel((select realtime.topic()), (select auth.uid()))
);

-- The epoch of a topic's channel, for whoever may read the topic. To be asked before a join, and
-- when one was refused: TOPIC_FORBIDDEN then says that it will be refused again.
create or replace function public.live_epoch(topic text) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  return coalesce(
    (select epoch from private.live_topics where live_topics.topic = live_epoch.topic), 0
  );
end;
$$;
grant execute on function public.live_epoch(text) to anon, authenticated, service_role;

-- Moves topics to their next channels when this transaction commits, each once however often it is
-- asked for. `readers` is about how many are on each of them: those who stay spread their joins
-- over 20 ms a head, at most ten seconds, which is slower than what hosted servers take of all
-- clients together (100 joins a second, on bigger plans 500 to 2,500).
create or replace function private.move_topics(topics text[], readers bigint) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.moves', (
    select string_agg(
      jsonb_build_object('topic', topic, 'withinMs', least(readers * 20, 10000))::text, ','
    )
    from unnest(topics) as topic
  ));
end;
$$;

-- Moves topics to their next channels: locks the heads of these and of the events' topics in one
-- order, and tells those who are on the channels that were left where to go. That has no number,
-- since it is about the channel: who doesn't hear it sees the epoch in the next answer of
-- `live_since`.
create or replace function private.move_heads(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
begin
  with wanted as (
    select topic, max(step) as steps, max(within_ms) as within_ms
    from (
      select topic, 0 as step, null::integer as within_ms
      from jsonb_to_recordset(events) as event (topic text)
      union all
      select topic, 1, "withinMs"
      from jsonb_to_recordset(moves) as move (topic text, "withinMs" integer)
    ) as named
    group by topic
  ), moved as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, 0, steps from wanted order by topic collate "C"
    on conflict (topic) do update set epoch = head.epoch + excluded.epoch
    returning topic, epoch
  ), message as (
    select gen_random_uuid() as id, topic, epoch, within_ms
    from moved
    join wanted using (topic)
    where send and steps = 1
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch - 1),
    'broadcast',
    'topic.moved',
    jsonb_build_object('id', id, 'epoch', epoch, 'withinMs', within_ms),
    true
  from message;
end;
$$;
-- <<< live/epochs.sql

-- >>> live/publish.sql
-- How an event gets its number. During the transaction, what is to be told is queued in two
-- transaction-local settings (a savepoint rolled back takes its part of them away, an aborted
-- transaction all, and nothing is written for it). The first thing queued arms one deferred
-- trigger. At commit it locks the heads of all topics concerned, in the order of their names, with
-- one statement, and numbers under those locks: so numbers have no holes and no repeats, the order
-- of numbers is the order of commits, and two transactions can't wait for each other in a circle.

-- The functions at the door (triggers, what others may call) set `search_path`, and have plans made
-- once rather than for each call; those behind them run under what the door has set, since setting
-- it anew costs more than what some of them do.

-- Arms the flush: one row per transaction, removed by a job.
create unlogged table if not exists private.live_flushes (armed_at timestamptz not null default now());
alter table private.live_flushes enable row level security;

-- Queues comma-separated JSON objects, and arms the flush.
create or replace function private.queue_live(queue text, items text) returns void
language plpgsql
as $$
declare
  queued text := current_setting(queue, true);
  -- Assigned rather than performed: an expression costs a tenth of a statement.
  setting text;
begin
  if items is null then
    return;
  end if;
  setting := set_config(queue, case when queued <> '' then queued || ',' || items else items end, true);
  if current_setting('homeroom.flush', true) is distinct from 'armed' then
    setting := set_config('homeroom.flush', 'armed', true);
    insert into private.live_flushes default values;
  end if;
end;
$$;

-- Tells an event on a topic, if and when this transaction commits. `payload` is what readers get
-- as `data`. For triggers and functions of the database, and for services.
create or replace function private.publish(topic text, event text, payload jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if topic is null or event is null or payload is null then
    raise exception 'An event needs a topic, a name and a payload' using errcode = '22004';
  end if;
  perform private.queue_live(
    'homeroom.events',
    jsonb_build_object('topic', topic, 'event', event, 'payload', payload)::text
  );
end;
$$;
grant execute on function private.publish(text, text, jsonb) to service_role;
grant usage on schema private to service_role;

-- Numbers events, keeps them, and hands them to Realtime: locks the heads of their topics in one
-- order, takes as many numbers as there are events, and writes under the locks. The last insert is
-- what `realtime.send` does; the caller catches what fails. One event alone, which is what most
-- transactions tell, has a way without sets: half the time, which is part of each commit.
create or replace function private.store_events(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
  told_on text;
  told text;
  number bigint;
  current_epoch bigint;
  moment timestamptz;
  message uuid;
begin
  if moves <> '[]' then
    perform private.move_heads(events, moves, send);
  end if;
  if events = '[]' then
    return;
  end if;
  if jsonb_array_length(events) = 1 then
    told_on := events -> 0 ->> 'topic';
    told := events -> 0 ->> 'event';
    insert into private.live_topics as head (topic, seq)
    values (told_on, 1)
    on conflict (topic) do update set seq = head.seq + 1
    returning head.seq, head.epoch into number, current_epoch;
    moment := clock_timestamp();
    insert into private.live_events (topic, seq, event, payload, created_at)
    values (told_on, number, told, events -> 0 -> 'payload', moment);
    if send then
      message := gen_random_uuid();
      insert into realtime.messages (id, topic, extension, event, payload, private)
      values (
        message,
        private.channel_of(told_on, current_epoch),
        'broadcast',
        told,
        jsonb_build_object(
          'id', message, 'seq', number, 'at', private.epoch_ms(moment), 'data', events -> 0 -> 'payload'
        ),
        true
      );
    end if;
    return;
  end if;
  with event as materialized (
    select
      gen_random_uuid() as id,
      topic,
      event,
      payload,
      row_number() over (partition by topic order by position desc) as place
    from rows from (
      jsonb_to_recordset(events) as (topic text collate "C", event text, payload jsonb)
    ) with ordinality as item (topic, event, payload, position)
  ), head as (
    insert into private.live_topics as head (topic, seq)
    select topic, max(place) from event group by topic order by topic
    on conflict (topic) do update set seq = head.seq + excluded.seq
    returning topic, seq, epoch
  ), numbered as materialized (
    select
      event.id, topic, event, payload, epoch,
      seq - place + 1 as seq,
      clock_timestamp() as moment
    from event
    join head using (topic)
    order by seq - place + 1
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch),
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', private.epoch_ms(moment), 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(events jsonb, intents jsonb, moves jsonb)
returns void
language plpgsql set search_path = ''
as $$
declare
  intent jsonb;
  told jsonb := events;
begin
  for intent in select value from jsonb_array_elements(intents) loop
    begin
      told := told || private.write_notifications(jsonb_build_array(intent));
    exception when others then
      insert into private.notification_failures (intents, sql_state, reason)
      values (jsonb_build_array(intent), sqlstate, sqlerrm);
    end;
  end loop;
  begin
    perform private.store_events(told, moves, true);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, moves, false);
  end;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`. Its plans are
-- kept for a session, so one that was made while a table was small would read all of it later:
-- everything here is looked up by key. Notifications come first, under locks of their recipients
-- (write.sql), then the heads: always in this order.
create or replace function private.flush_live() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
as $$
declare
  events jsonb := '[' || coalesce(current_setting('homeroom.events', true), '') || ']';
  intents jsonb := '[' || coalesce(current_setting('homeroom.notifications', true), '') || ']';
  moves jsonb := '[' || coalesce(current_setting('homeroom.moves', true), '') || ']';
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.moves', '', true);
  setting := set_config('homeroom.flush', '', true);
  begin
    setting := private.store_events(
      case
        when intents = '[]' then events
        else events || private.write_notifications(intents)
      end,
      moves,
      true
    );
  exception when others then
    perform private.store_what_can_be(events, intents, moves);
  end;
  return null;
end;
$$;

drop trigger if exists flush_live on private.live_flushes;
create constraint trigger flush_live
after insert on private.live_flushes
deferrable initially deferred
for each row execute function private.flush_live();

-- What is older than the seven days for which a client can catch up goes. Gives the number of events.
create or replace function private.remove_old_live_events() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from private.live_events where created_at < now() - interval '7 days';
  get diagnostics removed = row_count;
  delete from private.notification_failures where created_at < now() - interval '90 days';
  return removed;
end;
$$;
-- <<< live/publish.sql

-- >>> notifications/functions.sql
-- Locks the head of a user's topic until the transaction ends: nobody else tells the user anything
-- meanwhile. A transaction that goes on to publish elsewhere after this no
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
-- is `data.course_id`. Locks the recipient. Inside a transaction of the database's own, use
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

-- The advisory lock of who writes somebody's notifications: one of a thousand, so that a transaction
-- that notifies a whole school doesn't fill the table of locks.
create or replace function private.recipient_lock(person text) returns bigint
language sql immutable
as $$
  select hashtextextended('recipient', hashtextextended(person, 0) & 1023);
$$;

-- Writes notifications and gives their events. It locks the recipients until the transaction ends
-- (in one order, and a thousand locks at most, however many they are), so nobody else merges at the
-- same time. What a recipient doesn't want is left out, what has a known dedupe key too. A repeat
-- within a minute for the same recipient, type and course goes into the unread one that is in the
-- inbox. It waits for no row: one that is being changed by someone else is left alone, and a new one
-- is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql
as $$
declare
  moment timestamptz;
  events jsonb := '[]';
  wanted public.notifications;
  written jsonb;
  is_merged boolean;
  is_repeat boolean;
  course_title text;
  setting text;
begin
  if intents = '[]' then
    return events;
  end if;
  if jsonb_array_length(intents) = 1 then
    setting := pg_advisory_xact_lock(private.recipient_lock(intents -> 0 ->> 'user_id'));
  else
    intents := private.group_intents(intents);
    perform pg_advisory_xact_lock(lock)
    from (
      select distinct private.recipient_lock(value ->> 'user_id') as lock
      from jsonb_array_elements(intents)
      order by lock
    ) as recipient;
  end if;
  moment := clock_timestamp();
  setting := set_config('homeroom.telling', 'by hand', true);
  for at in 0 .. jsonb_array_length(intents) - 1 loop
    wanted := jsonb_populate_record(null::public.notifications, intents -> at);
    wanted.count := coalesce(wanted.count, 1);
    is_merged := private.is_merged(wanted.type)
      and wanted.course_id is not null
      and wanted.dedupe_key is null;
    is_repeat := false;
    if is_merged then
      course_title := wanted.data ->> 'course_title';
      if course_title is null then
        select title into course_title from public.courses where id = wanted.course_id;
      end if;
      update public.notifications as earlier
      set
        count = earlier.count + wanted.count,
        title = private.merged_title(wanted.type),
        message = private.merged_message(
          wanted.type, earlier.count + wanted.count, course_title
        ),
        data = earlier.data || coalesce(wanted.data, '{}'),
        related_entity_type = wanted.related_entity_type,
        related_entity_id = wanted.related_entity_id
      where earlier.id = (
          select id from public.notifications
          where user_id = wanted.user_id
            and box = 'inbox'
            and read_at is null
            and listed_at > moment - interval '1 minute'
            and woken_at is null
            and type = wanted.type
            and course_id = wanted.course_id
          order by listed_at desc, id desc
          limit 1
          for no key update skip locked
        )
        -- The course's own first: the index has them in this order.
        and coalesce((
          select enabled from public.notification_preferences
          where user_id = wanted.user_id and type = wanted.type and channel = 'app'
            and (course_id is null or course_id = wanted.course_id)
          order by course_id
          limit 1
        ), true)
      returning private.notification_json(earlier) into written;
      is_repeat := found;
    end if;
    if not is_repeat then
      if is_merged and wanted.count > 1 then
        wanted.title := private.merged_title(wanted.type);
        wanted.message := private.merged_message(wanted.type, wanted.count, course_title);
      end if;
      insert into public.notifications (
        user_id, type, level, title, message, data, course_id, related_entity_type,
        related_entity_id, count, dedupe_key, created_at, expires_at
      )
      select
        wanted.user_id, wanted.type, coalesce(wanted.level, 'info'), wanted.title, wanted.message,
        coalesce(wanted.data, '{}'), wanted.course_id, wanted.related_entity_type,
        wanted.related_entity_id, wanted.count, wanted.dedupe_key, moment, wanted.expires_at
      where coalesce((
        select enabled from public.notification_preferences
        where user_id = wanted.user_id and type = wanted.type and channel = 'app'
          and (course_id is null or course_id = wanted.course_id)
        order by course_id
        limit 1
      ), true)
      on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
      returning private.notification_json(notifications) into written;
      if not found then
        continue;
      end if;
    end if;
    events := events || jsonb_build_object(
      'topic', 'user:' || wanted.user_id,
      'event', case when is_repeat then 'notification.updated' else 'notification.created' end,
      'payload', jsonb_build_object('notification', written, 'unreadDelta', (not is_repeat)::integer)
    );
  end loop;
  setting := set_config('homeroom.telling', '', true);
  return events;
end;
$$;
-- <<< notifications/write.sql

drop function if exists private.flush_one(jsonb);
drop function if exists private.store_events(jsonb, jsonb, jsonb, boolean);
drop function if exists private.store_what_can_be(jsonb, jsonb, jsonb, jsonb, jsonb);
drop function if exists private.tell_moves(jsonb, jsonb);
drop function if exists private.tell_instructors(
  text, text, text, text, text, uuid[], uuid[], uuid[], jsonb[], text
);
