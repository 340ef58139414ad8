grant select, insert (user_id, is_invisible), update (is_invisible) on public.presence_settings
to authenticated;

-- Whether one person may see of another whether they are online: they share a course, and none has
-- blocked the other.
create or replace function private.sees_contact(viewer uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((viewer, person), (person, viewer))
  ) and exists (
    select 1
    from private.memberships(viewer) as own
    join private.memberships(person) as theirs using (course_id)
  );
$$;

-- Whether someone has a portal open: 'online', 'away' or 'offline', as which the invisible appear;
-- and when they last were seen there, if they aren't. For whom `sees_contact` lets.
create or replace function private.contact_json(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'userId', person,
    'status', coalesce((
      select nullif(status, 'hidden') from private.presence_leases
      where topic = 'user:' || person and user_id = person
    ), 'offline'),
    'lastSeenAt', (
      select private.iso_time(last_seen_at) from public.student_presence
      where user_id = person and course_id is null and workshop_id is null
    )
  );
$$;

-- The caller's contacts: those of their hundred newest conversations, or the one who is asked for.
create or replace function private.contacts_of(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.contact_json(contact)), '[]')
  from (
    select contacts_of.person as contact where contacts_of.person is not null
    union all
    select contact from private.newest_contacts(auth.uid()) as contact
    where contacts_of.person is null
  ) as contacts
  where private.sees_contact(auth.uid(), contact);
$$;
grant execute on function private.contacts_of(uuid) to authenticated;

-- With whom someone has their hundred newest conversations.
create or replace function private.newest_contacts(person uuid) returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select contact
  from (
    select case when low_id = person then high_id else low_id end as contact
    from public.conversations
    where low_id = person or high_id = person
    order by last_message_at desc
    limit 100
  ) as newest
  where contact is not null;
$$;

-- Tells those with whom someone writes, and who have a portal open themselves, whether they are there.
create or replace function private.tell_contacts(person uuid) returns void
language sql security definer set search_path = ''
as $$
  select private.publish('user:' || contact, 'contact.changed', private.contact_json(person))
  from private.newest_contacts(person) as contact
  where exists (
    select 1 from private.presence_leases
    where topic = 'user:' || contact and user_id = contact
  ) and private.sees_contact(contact, person);
$$;

-- Tells that someone is somewhere, or isn't any more: each of up to a hundred by name; beyond it,
-- only the number, once a second, by `tell_crowds`. The staff of a workshop is told of everybody.
create or replace function private.tell_presence(place text, person uuid, status text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if place like 'user:%' then
    perform private.tell_contacts(person);
    return;
  end if;
  if (select count(*) from private.presence_leases where topic = place) > 100 then
    insert into private.presence_crowds (topic) values (place) on conflict (topic) do nothing;
  else
    perform private.publish(
      place,
      'presence.changed',
      jsonb_build_object('person', private.person_json(person), 'status', status)
    );
  end if;
  if place like 'workshop:%' then
    perform private.publish(
      place || ':staff',
      'presence.changed',
      jsonb_build_object('userId', person, 'status', status)
    );
  end if;
end;
$$;

-- Tells how many there are where there are many. Run each second.
create or replace function private.tell_crowds() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  crowds text[];
begin
  with told as (delete from private.presence_crowds returning topic)
  select array_agg(topic) into crowds from told;
  perform private.publish(
    crowd,
    'presence.counted',
    jsonb_build_object(
      'onlineCount', (select count(*) from private.presence_leases where topic = crowd)
    )
  )
  from unnest(crowds) as crowd;
  return coalesce(cardinality(crowds), 0);
end;
$$;

-- Keeps the row that outlives a visit: the last status, and when someone was last seen.
create or replace function private.keep_last_seen(place text, person uuid, status text) returns void
language sql security definer set search_path = ''
as $$
  insert into public.student_presence (user_id, course_id, workshop_id, status, last_seen_at)
  select
    person,
    case split_part(place, ':', 1) when 'course' then split_part(place, ':', 2)::uuid end,
    case split_part(place, ':', 1) when 'workshop' then split_part(place, ':', 2)::uuid end,
    status,
    clock_timestamp()
  where split_part(place, ':', 1) in ('course', 'workshop', 'user')
  on conflict (user_id, course_id, workshop_id) do update
  set
    status = excluded.status,
    last_seen_at = case
      when excluded.status = 'offline' then student_presence.last_seen_at
      else excluded.last_seen_at
    end;
$$;

-- A tab of the caller's says that they are somewhere: 'online' in front, 'away' behind or idle,
-- 'leaving' when it closes, which counts in 23 seconds unless the next page says otherwise, or
-- another tab, which does so every 20. For readers of the topic; who is invisible is nowhere, and in
-- the portal as a whole, `user:<uid>`, 'hidden': they are still told of others.
create or replace function private.keep_presence(place text, tab_status text) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  moment timestamptz := clock_timestamp();
  before text;
  after text;
begin
  if not private.can_read_topic(place, me) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  if tab_status = 'leaving' then
    update private.presence_leases
    set seen_at = least(seen_at, moment - interval '22 seconds')
    where topic = place and user_id = me;
    return;
  end if;
  if exists (select 1 from public.presence_settings where user_id = me and is_invisible) then
    if place not like 'user:%' then
      perform private.end_presence(array[place], array[me]);
      return;
    end if;
    tab_status := 'hidden';
  end if;
  select status into before from private.presence_leases where topic = place and user_id = me;
  insert into private.presence_leases as lease (topic, user_id, status, seen_at, online_at)
  values (place, me, tab_status, moment, moment)
  on conflict (topic, user_id) do update
  set
    seen_at = excluded.seen_at,
    online_at = case tab_status when 'online' then excluded.online_at else lease.online_at end,
    status = case
      when tab_status = 'away' and lease.online_at < moment - interval '40 seconds' then 'away'
      when tab_status in ('online', 'hidden') or lease.status = 'hidden' then tab_status
      else lease.status
    end
  returning status into after;
  if after <> 'hidden' then
    perform private.keep_last_seen(place, me, after);
  end if;
  if after is distinct from before then
    perform private.tell_presence(place, me, after);
  end if;
  if place like 'workshop:%' then
    perform private.seen_in_workshop(split_part(place, ':', 2)::uuid, me, moment);
  end if;
end;
$$;
grant execute on function private.keep_presence(text, text) to authenticated;

-- Ends leases: `places` and `people` are pairs.
create or replace function private.end_presence(places text[], people uuid[]) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  gone record;
  ended integer := 0;
begin
  for gone in
    delete from private.presence_leases
    using unnest(places, people) as leaving (place, person)
    where topic = place and user_id = person
    returning topic, user_id, status
  loop
    if gone.status <> 'hidden' then
      perform private.keep_last_seen(gone.topic, gone.user_id, 'offline');
      perform private.tell_presence(gone.topic, gone.user_id, 'offline');
    end if;
    ended := ended + 1;
  end loop;
  return ended;
end;
$$;

-- Ends the presence of those whose lease ran out, such as a killed browser's: within a minute, since
-- it is run every ten seconds. Gives how many.
create or replace function private.end_ghost_presence() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  places text[];
  people uuid[];
begin
  select array_agg(topic), array_agg(user_id) into places, people
  from (
    select topic, user_id from private.presence_leases
    where seen_at < clock_timestamp() - interval '45 seconds'
    for update skip locked
  ) as ghosts;
  update public.student_presence
  set status = 'offline'
  where id in (
    select id from public.student_presence
    where status <> 'offline' and last_seen_at < now() - interval '90 seconds'
    for update skip locked
  );
  return private.end_presence(places, people);
end;
$$;

-- Who is somewhere, for its readers: `{ onlineCount, people }`; `people` is null beyond a hundred.
create or replace function private.presence_of(place text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  total integer;
begin
  if not private.can_read_topic(place, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  select count(*) into total from private.presence_leases where topic = place;
  return jsonb_build_object(
    'onlineCount', total,
    'people', case when total <= 100 then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'person', private.person_json(user_id), 'status', status
      )), '[]')
      from private.presence_leases
      where topic = place
    ) end
  );
end;
$$;
grant execute on function private.presence_of(text) to authenticated;
