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
