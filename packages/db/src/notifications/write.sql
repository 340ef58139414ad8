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
create or replace function private.merged_text(type text, count integer, course text)
returns table (title text, message text)
language sql immutable
as $$
  select texts.title, format(texts.message, count, course)
  from (
    values
      ('enrollment', 'New students enrolled', '%s students enrolled in "%s"'),
      ('workshop_registration', 'New workshop registrations', '%s students registered for workshops of "%s"'),
      ('course_completion', 'Course completions', '%s students completed "%s"'),
      ('review', 'New reviews', '%s students reviewed "%s"'),
      ('payment', 'Payments received', '%s payments received for "%s"')
  ) as texts (type, title, message)
  where texts.type = merged_text.type;
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

-- Writes notifications and gives their events. The caller has the recipients' topics locked, so
-- nobody else merges at the same time. What a recipient doesn't want is left out, what has a known
-- dedupe key too. A repeat within a minute for the same recipient, type and course goes into the
-- unread one that is there. It waits for no row: one that is being changed by someone else is left
-- alone, and a new one is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  events jsonb;
begin
  if intents = '[]' then
    return '[]';
  end if;
  perform set_config('homeroom.telling', 'by hand', true);
  with intent as (
    select given.*, mergeable, case when not mergeable then position end as alone
    from rows from (
      jsonb_to_recordset(intents) as (
        id uuid, user_id uuid, type text, level text, title text, message text, data jsonb,
        course_id uuid, related_entity_type text, related_entity_id uuid, dedupe_key text,
        expires_at timestamptz
      )
    ) with ordinality as given (
      id, user_id, type, level, title, message, data, course_id, related_entity_type,
      related_entity_id, dedupe_key, expires_at, position
    )
    cross join lateral (
      select given.course_id is not null
        and given.dedupe_key is null
        and private.is_merged(given.type) as mergeable
    ) as rule
    where not exists (
      select 1 from public.notification_preferences as preference
      where preference.user_id = given.user_id
        and preference.type = given.type
        and not preference.enabled
    )
  ), counted as (
    -- The newest of those that belong together speaks for all of them.
    select distinct on (user_id, type, course_id, alone)
      intent.*,
      count(*) over (partition by user_id, type, course_id, alone)::integer as happenings
    from intent
    order by user_id, type, course_id, alone, position desc
  ), repeated as (
    select counted.*, earlier.id as earlier_id, earlier.count + counted.happenings as total
    from counted
    left join lateral (
      select notification.id, notification.count
      from public.notifications as notification
      where counted.mergeable
        and notification.user_id = counted.user_id
        and notification.read_at is null
        and notification.created_at > moment - interval '1 minute'
        and notification.type = counted.type
        and notification.course_id = counted.course_id
      order by notification.created_at desc
      limit 1
      for no key update skip locked
    ) as earlier on true
  ), worded as (
    select
      repeated.*,
      coalesce(merged.title, repeated.title) as final_title,
      coalesce(merged.message, repeated.message) as final_message
    from repeated
    left join lateral private.merged_text(
      repeated.type,
      coalesce(repeated.total, repeated.happenings),
      coalesce(
        repeated.data ->> 'course_title',
        (select courses.title from public.courses where courses.id = repeated.course_id)
      )
    ) as merged on coalesce(repeated.total, repeated.happenings) > 1 and repeated.mergeable
  ), merged as (
    update public.notifications as notification
    set
      count = worded.total,
      title = worded.final_title,
      message = worded.final_message,
      data = notification.data || coalesce(worded.data, '{}'),
      related_entity_type = worded.related_entity_type,
      related_entity_id = worded.related_entity_id
    from worded
    where notification.id = worded.earlier_id
    returning notification, worded.position
  ), created as (
    insert into public.notifications as notification (
      id, user_id, type, level, title, message, data, course_id, related_entity_type,
      related_entity_id, count, dedupe_key, created_at, expires_at
    )
    select
      coalesce(id, gen_random_uuid()), user_id, type, coalesce(level, 'info'), final_title,
      final_message, coalesce(data, '{}'), course_id, related_entity_type, related_entity_id,
      happenings, dedupe_key, moment, expires_at
    from worded
    where earlier_id is null
    order by user_id, position
    on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
    returning notification
  )
  select jsonb_agg(
    jsonb_build_object(
      'topic', 'user:' || (written.notification).user_id,
      'event', written.event,
      'payload', jsonb_build_object(
        'notification', private.notification_json(written.notification),
        'unreadDelta', written.delta
      )
    )
  )
  into events
  from (
    select notification, 'notification.updated' as event, 0 as delta from merged
    union all
    select notification, 'notification.created', 1 from created
  ) as written;
  perform set_config('homeroom.telling', '', true);
  return coalesce(events, '[]');
end;
$$;
