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
