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
create or replace function private.merged_message(
  type text,
  count integer,
  course_id uuid,
  data jsonb
)
returns text
language sql stable
as $$
  select format(
    case type
      when 'enrollment' then '%s students enrolled in "%s"'
      when 'workshop_registration' then '%s students registered for workshops of "%s"'
      when 'course_completion' then '%s students completed "%s"'
      when 'review' then '%s students reviewed "%s"'
      when 'payment' then '%s payments received for "%s"'
    end,
    count,
    coalesce(
      data ->> 'course_title',
      (select courses.title from public.courses where courses.id = merged_message.course_id)
    )
  );
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

-- The intents whose recipients want them, as rows. Those that belong together (same recipient,
-- mergeable type and course) become one, the newest of them, with how many they are.
create or replace function private.grouped_intents(intents jsonb)
returns table (
  user_id uuid, type text, level text, title text, message text, data jsonb, course_id uuid,
  related_entity_type text, related_entity_id uuid, dedupe_key text, expires_at timestamptz,
  mergeable boolean, happenings integer
)
language plpgsql stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  is_one boolean := jsonb_array_length(intents) = 1;
begin
  return query
  with intent as (
    select
      item.*,
      private.is_merged(item.type) and item.course_id is not null and item.dedupe_key is null
        as mergeable,
      (row_number() over ())::integer as position
    from jsonb_to_recordset(intents) as item (
      user_id uuid, type text, level text, title text, message text, data jsonb, course_id uuid,
      related_entity_type text, related_entity_id uuid, dedupe_key text, expires_at timestamptz
    )
    where not exists (
      select 1 from public.notification_preferences as preference
      where preference.user_id = item.user_id
        and preference.type = item.type
        and not preference.enabled
    )
  )
  select
    intent.user_id, intent.type, intent.level, intent.title, intent.message,
    coalesce(intent.data, '{}'), intent.course_id, intent.related_entity_type,
    intent.related_entity_id, intent.dedupe_key, intent.expires_at, intent.mergeable, 1
  from intent
  where is_one or not intent.mergeable
  union all
  (
    select distinct on (intent.user_id, intent.type, intent.course_id)
      intent.user_id, intent.type, intent.level, intent.title, intent.message,
      coalesce(intent.data, '{}'), intent.course_id, intent.related_entity_type,
      intent.related_entity_id, intent.dedupe_key, intent.expires_at, intent.mergeable,
      (count(*) over (partition by intent.user_id, intent.type, intent.course_id))::integer
    from intent
    where not is_one and intent.mergeable
    order by intent.user_id, intent.type, intent.course_id, intent.position desc
  );
end;
$$;

-- Writes notifications and gives their events. The caller has the recipients' topics locked, so
-- nobody else merges at the same time. What a recipient doesn't want is left out, what has a known
-- dedupe key too. A repeat within a minute for the same recipient, type and course goes into the
-- unread one that is there. It waits for no row: one that is being changed by someone else is left
-- alone, and a new one is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  moment timestamptz := clock_timestamp();
  events jsonb := '[]';
  wanted record;
  written jsonb;
  earlier record;
begin
  if intents = '[]' then
    return events;
  end if;
  perform set_config('homeroom.telling', 'by hand', true);
  for wanted in select * from private.grouped_intents(intents) loop
    written := null;
    if wanted.mergeable then
      select id, count + wanted.happenings as total into earlier
      from public.notifications
      where user_id = wanted.user_id
        and read_at is null
        and created_at > moment - interval '1 minute'
        and type = wanted.type
        and course_id = wanted.course_id
      order by created_at desc, id desc
      limit 1
      for no key update skip locked;
      if found then
        update public.notifications
        set
          count = earlier.total,
          title = private.merged_title(type),
          message = private.merged_message(type, earlier.total, course_id, wanted.data),
          data = data || wanted.data,
          related_entity_type = wanted.related_entity_type,
          related_entity_id = wanted.related_entity_id
        where id = earlier.id
        returning private.notification_json(notifications) into written;
        events := events || jsonb_build_object(
          'topic', 'user:' || wanted.user_id,
          'event', 'notification.updated',
          'payload', jsonb_build_object('notification', written, 'unreadDelta', 0)
        );
        continue;
      end if;
      if wanted.happenings > 1 then
        wanted.title := private.merged_title(wanted.type);
        wanted.message := private.merged_message(
          wanted.type, wanted.happenings, wanted.course_id, wanted.data
        );
      end if;
    end if;
    insert into public.notifications (
      user_id, type, level, title, message, data, course_id, related_entity_type,
      related_entity_id, count, dedupe_key, created_at, expires_at
    )
    values (
      wanted.user_id, wanted.type, coalesce(wanted.level, 'info'), wanted.title, wanted.message,
      wanted.data, wanted.course_id, wanted.related_entity_type, wanted.related_entity_id,
      wanted.happenings, wanted.dedupe_key, moment, wanted.expires_at
    )
    on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
    returning private.notification_json(notifications) into written;
    if written is not null then
      events := events || jsonb_build_object(
        'topic', 'user:' || wanted.user_id,
        'event', 'notification.created',
        'payload', jsonb_build_object('notification', written, 'unreadDelta', 1)
      );
    end if;
  end loop;
  perform set_config('homeroom.telling', '', true);
  return events;
end;
$$;
