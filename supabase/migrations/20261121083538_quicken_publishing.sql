set check_function_bodies = off;

ALTER TABLE "student_activity" DROP CONSTRAINT "student_activity_has_a_known_type";

ALTER TABLE "notification_preferences" DROP CONSTRAINT "notification_preferences_have_a_known_type";

ALTER TABLE "notifications" DROP CONSTRAINT "notifications_have_a_known_type";

ALTER TABLE "notifications" DROP CONSTRAINT "notifications_have_a_known_level";

ALTER TABLE "student_activity" ADD CONSTRAINT "student_activity_has_a_known_type" CHECK (activity_type = any ('{enrolled,registered,checked_in,completed_lesson,completed_module,completed_course,reviewed,paid,asked}'));

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_have_a_known_type" CHECK (type = any ('{enrollment,workshop_registration,course_completion,review,payment,lesson_completion,certificate,achievement,subscription,announcement,message,mention,system}'));

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_have_a_known_type" CHECK (type = any ('{enrollment,workshop_registration,course_completion,review,payment,lesson_completion,certificate,achievement,subscription,announcement,message,mention,system}'));

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_have_a_known_level" CHECK (level = any ('{info,success,warning,error}'));

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
-- student's name and the course's title. `told` are events of the caller's, as `queue_live` takes
-- them. All in one statement, with lookups by key rather than joins: for the one happening of an
-- everyday transaction, starting a statement costs more than what it does.
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
  told text default null
)
returns void
language plpgsql
as $$
declare
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
    from unnest(students, course_ids, entities, details)
      as happening (student, course, entity, detail)
  ), recorded as (
    insert into public.student_activity (id, user_id, course_id, activity_type, data, created_at)
    select id, student, course, activity, detail, now() from happened
  )
  select
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
  into events, intents
  from happened;
  setting := set_config('homeroom.telling', '', true);
  setting := private.queue_live('homeroom.events', concat_ws(',', told, events));
  setting := private.queue_live('homeroom.notifications', intents);
end;
$$;
-- <<< activity/activity.sql

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

-- A course finished: told once, when `status` becomes `completed`.
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
begin
  select
    array_agg(after.user_id), array_agg(after.course_id), array_agg(after.id),
    array_agg('{}'::jsonb)
  into students, courses, entities, details
  from before
  join after using (id)
  where after.status = 'completed' and before.status <> 'completed';
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
grant execute on function private.can_join_channel(text, uuid) to authenticated;

-- Who may broadcast and track: those who may join, and only on `…:live`. On a topic itself only
-- the database speaks.
create or replace function private.can_send_on_channel(channel text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select channel like '%:live' and private.can_join_channel(channel, person);
$$;
grant execute on function private.can_send_on_channel(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to authenticated
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
grant execute on function public.live_epoch(text) to authenticated, service_role;

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

-- Tells those who are on the channels that topics have left where to go. It has no number, since
-- it is about the channel: who doesn't hear it sees the epoch in the next answer of `live_since`.
create or replace function private.tell_moves(moves jsonb, epochs jsonb) returns void
language plpgsql
as $$
begin
  with moved as (
    select
      gen_random_uuid() as id,
      value ->> 'topic' as topic,
      max((value ->> 'withinMs')::integer) as within_ms
    from jsonb_array_elements(moves)
    group by value ->> 'topic'
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, (epochs ->> topic)::bigint - 1),
    'broadcast',
    'topic.moved',
    jsonb_build_object('id', id, 'epoch', epochs -> topic, 'withinMs', within_ms),
    true
  from moved;
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

-- Numbers events, keeps them, and hands them to Realtime. `heads` holds the number of each topic
-- before them, `epochs` which channel it has, where not the first; the caller has the topics locked. The insert is what
-- `realtime.send` does, for all events in one statement; the caller catches what fails.
create or replace function private.store_events(
  events jsonb,
  heads jsonb,
  epochs jsonb,
  send boolean
)
returns void
language plpgsql
as $$
declare
  moment timestamptz := clock_timestamp();
  at numeric := private.epoch_ms(moment);
begin
  with numbered as materialized (
    select
      gen_random_uuid() as id,
      topic,
      event,
      payload,
      (heads ->> topic)::bigint + row_number() over (partition by topic order by position) as seq
    from rows from (
      jsonb_to_recordset(events) as (topic text, event text, payload jsonb)
    ) with ordinality as item (topic, event, payload, position)
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, coalesce((epochs ->> topic)::bigint, 0)),
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', at, 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(
  events jsonb,
  intents jsonb,
  moves jsonb,
  heads jsonb,
  epochs jsonb
)
returns jsonb
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
    perform private.store_events(told, heads, epochs, true);
    perform private.tell_moves(moves, epochs);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, heads, epochs, false);
  end;
  return told;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`. Its plans are
-- kept for a session, so one that was made while a table was small would read all of it later:
-- everything here is looked up by key.
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
  expected integer := jsonb_array_length(events) + jsonb_array_length(intents);
  heads jsonb;
  epochs jsonb;
  told jsonb;
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.moves', '', true);
  setting := set_config('homeroom.flush', '', true);
  if expected = 0 and moves = '[]' then
    return null;
  end if;

  -- Locks all heads in one order, takes as many numbers as can be needed, and moves what moves.
  with wanted as (
    select topic, sum(number) as numbers, max(move) as steps
    from (
      select topic, 1 as number, 0 as move from jsonb_to_recordset(events) as event (topic text)
      union all
      select 'user:' || user_id, 1, 0 from jsonb_to_recordset(intents) as intent (user_id text)
      union all
      select topic, 0, 1 from jsonb_to_recordset(moves) as move (topic text)
    ) as told
    group by topic
  ), taken as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, numbers, steps from wanted order by topic collate "C"
    on conflict (topic) do update
    set seq = head.seq + excluded.seq, epoch = head.epoch + excluded.epoch
    returning topic, seq, epoch
  )
  select
    jsonb_object_agg(topic, taken.seq - wanted.numbers),
    jsonb_object_agg(topic, taken.epoch) filter (where taken.epoch > 0)
  into heads, epochs
  from taken
  join wanted using (topic);

  begin
    told := events || private.write_notifications(intents);
    perform private.store_events(told, heads, epochs, true);
    if moves <> '[]' then
      perform private.tell_moves(moves, epochs);
    end if;
  exception when others then
    told := private.store_what_can_be(events, intents, moves, heads, epochs);
  end;

  -- Numbers that were not needed after all (merged, refused or failed notifications) go back,
  -- still under the locks.
  if jsonb_array_length(told) < expected then
    update private.live_topics as head
    set seq = before.value::bigint + (
      select count(*) from jsonb_array_elements(told) as event
      where event.value ->> 'topic' = before.key
    )
    from jsonb_each_text(heads) as before
    where head.topic = before.key;
  end if;
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
      exists (
        select 1 from public.notification_preferences
        where user_id = wanted.user_id and type = wanted.type and not enabled
      ),
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

drop function if exists private.tell_instructors(text, text, text, text, text, uuid[], uuid[], uuid[], jsonb[]);
