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
