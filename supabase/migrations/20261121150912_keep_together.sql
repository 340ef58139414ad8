set check_function_bodies = off;

ALTER TABLE "messages" DROP CONSTRAINT "messages_say_something";

ALTER TABLE "private"."presence_leases" DROP CONSTRAINT "presence_leases_have_a_known_status";

ALTER TABLE "message_reports" ADD COLUMN "status" text DEFAULT 'open' NOT NULL;

ALTER TABLE "message_reports" ADD COLUMN "resolved_by" uuid;

ALTER TABLE "message_reports" ADD COLUMN "resolved_at" timestamp with time zone;

ALTER TABLE "messages" ADD COLUMN "removed_at" timestamp with time zone;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "message_reports_newest_first" ON "message_reports" USING btree ("status","created_at","id");

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_link_files_by_https" CHECK (not jsonb_path_exists(attachments, '$[*] ? (!(@.url like_regex "^(https://|/[^/\\\\])"))'));

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_have_a_known_status" CHECK (status in ('open', 'dismissed', 'removed'));

ALTER TABLE "messages" ADD CONSTRAINT "messages_say_something" CHECK (char_length(content) <= 20000 and (content <> '' or removed_at is not null));

ALTER TABLE "private"."presence_leases" ADD CONSTRAINT "presence_leases_have_a_known_status" CHECK (status in ('online', 'away', 'hidden'));

-- >>> attendance/export.sql
-- A field of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is shown as
-- text, by an apostrophe. Of a hashed one that can be taken back (chain.ts does): the apostrophe is
-- also put before those that have one in that place.
create or replace function private.csv_field(field text, is_hashed boolean) returns text
language sql immutable
as $$
  select '"' || replace(
    case
      when field ~ (case when is_hashed then '^''*[=+\-@\t\r]' else '^[=+\-@\t\r]' end)
        then '''' || field
      else field
    end,
    '"', '""'
  ) || '"';
$$;

-- A workshop's log as a CSV file: what is hashed first, then the names as they are today. For the
-- workshop's staff. `packages/db/src/attendance/verify-export.ts` verifies it.
create or replace function private.attendance_export(workshop uuid) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.staffed_workshop(workshop);
  return 'previous_hash,workshop_id,number,user_id,action,method,happened_at,recorded_at,'
    || 'actor_id,session_id,reason,hash,name,actor_name' || e'\r\n'
    || coalesce((
      select string_agg(
        concat_ws(',',
          private.csv_field(entry.previous_hash, true),
          private.csv_field(entry.workshop_id::text, true),
          entry.number,
          private.csv_field(entry.user_id::text, true),
          private.csv_field(entry.action, true),
          private.csv_field(entry.method, true),
          private.csv_field(private.iso_time(entry.happened_at), true),
          private.csv_field(private.iso_time(entry.recorded_at), true),
          private.csv_field(entry.actor_id::text, true),
          private.csv_field(coalesce(entry.session_id, ''), true),
          private.csv_field(entry.reason, true),
          private.csv_field(entry.hash, true),
          private.csv_field(coalesce(private.person_json(entry.user_id) ->> 'name', ''), false),
          private.csv_field(coalesce(private.person_json(entry.actor_id) ->> 'name', ''), false)
        ) || e'\r\n',
        '' order by entry.number
      )
      from public.attendance_log as entry
      where entry.workshop_id = workshop
    ), '');
end;
$$;
grant execute on function private.attendance_export(uuid) to authenticated;
-- <<< attendance/export.sql

-- >>> messages/moderation.sql
-- A report as the API and the events show it to administrators.
create or replace function private.message_report_json(report public.message_reports) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', report.id,
    'messageId', report.message_id,
    'reporter', private.person_json(report.reporter_id),
    'reason', report.reason,
    'note', report.note,
    'snapshot', report.snapshot,
    'status', report.status,
    'resolvedBy', private.person_json(report.resolved_by),
    'resolvedAt', private.iso_time(report.resolved_at),
    'createdAt', private.iso_time(report.created_at)
  );
$$;
grant execute on function private.message_report_json(public.message_reports) to authenticated;

-- Tells the administrators how a report stands.
create or replace function private.tell_message_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || admin.id,
    'message_report.updated',
    jsonb_build_object('report', private.message_report_json(message_reports))
  )
  from public.message_reports, public.users as admin
  where message_reports.id = report and admin.role = 'admin' and admin.is_active;
$$;

-- Reports a message that the caller has received, as it is, to the administrators. Gives the
-- report's id; the first one stands.
create or replace function private.report_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.messages;
  report uuid;
begin
  select * into target from public.messages
  where id = message and recipient_id = auth.uid();
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.message_reports (message_id, reporter_id, reason, note, snapshot)
  values (
    message, auth.uid(), report_message.reason, report_message.note,
    private.direct_message_json(target)
      || jsonb_build_object('sender', private.person_json(target.sender_id))
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_message_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', id,
      'type', 'system',
      'level', 'warning',
      'title', 'A direct message was reported',
      'message', private.excerpt(target.content),
      'related_entity_type', 'message_report',
      'related_entity_id', report,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object('report_id', report, 'sender_id', target.sender_id)
    ))
    from public.users
    where role = 'admin' and is_active
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_message(uuid, text, text) to authenticated;

-- Takes away what a direct message said, and tells both. Its number stays, so nothing is counted
-- anew; what was reported keeps it.
create or replace function private.remove_message(message uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  target public.messages;
begin
  update public.messages
  set content = '', removed_at = clock_timestamp()
  where id = message and removed_at is null
  returning * into target;
  if not found then
    return;
  end if;
  select * into conversation from public.conversations where id = target.conversation_id;
  update public.notifications
  set message = 'This message was removed.'
  where user_id = target.recipient_id
    and related_entity_id = conversation.id
    and (data ->> 'message_number')::integer = target.number;
  perform private.publish(
    'user:' || person,
    'direct_message.removed',
    jsonb_build_object(
      'message', private.direct_message_json(target),
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', 0
    )
  )
  from unnest(array[conversation.low_id, conversation.high_id]) as person
  where person is not null;
end;
$$;

-- What becomes of the open reports of a direct message: it is removed, or nothing was wrong with it.
-- For administrators. Gives how many reports that resolved.
create or replace function private.resolve_message_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  resolved uuid[];
begin
  if not private.is_admin() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if resolve_message_reports.status = 'removed' then
    perform private.remove_message(message);
  end if;
  with changed as (
    update public.message_reports as report
    set status = resolve_message_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_message_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_message_reports(uuid, text) to authenticated;
-- <<< messages/moderation.sql

-- >>> messages/write.sql
-- A direct message as the API and the events show it.
create or replace function private.direct_message_json(message public.messages) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', message.id,
    'number', message.number,
    'senderId', message.sender_id,
    'recipientId', message.recipient_id,
    'content', message.content,
    'isRemoved', message.removed_at is not null,
    'createdAt', private.iso_time(message.created_at)
  );
$$;
grant execute on function private.direct_message_json(public.messages) to authenticated;

-- A conversation as one of the two sees it. `theirReadNumber` and `theirDeliveredNumber` are null
-- where one of them wants no receipts.
create or replace function private.conversation_json(
  conversation public.conversations,
  viewer uuid
)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', conversation.id,
    'with', private.person_json(other.id),
    'lastNumber', conversation.last_number,
    'lastMessageAt', private.iso_time(conversation.last_message_at),
    'lastMessage', (
      select jsonb_build_object(
        'number', number, 'senderId', sender_id, 'excerpt', private.excerpt(content)
      )
      from public.messages
      where conversation_id = conversation.id and number = conversation.last_number
    ),
    'readNumber', coalesce(mine.read_number, 0),
    'deliveredNumber', coalesce(mine.delivered_number, 0),
    'unreadCount', conversation.last_number - coalesce(mine.read_number, 0),
    'theirReadNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.read_number, 0) end,
    'theirDeliveredNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.delivered_number, 0) end
  )
  from (
    select case when conversation.low_id = viewer then conversation.high_id
      else conversation.low_id end as id
  ) as other
  left join public.conversation_readers as mine
    on mine.conversation_id = conversation.id and mine.user_id = viewer
  left join public.conversation_readers as theirs
    on theirs.conversation_id = conversation.id and theirs.user_id = other.id;
$$;
grant execute on function private.conversation_json(public.conversations, uuid) to authenticated;

-- Numbers a message, under the lock of its conversation. Sent again, with the same id by the same
-- sender, it is left out: the first one stands. Services may write history.
create or replace function private.accept_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  low uuid := least(new.sender_id, new.recipient_id);
  high uuid := greatest(new.sender_id, new.recipient_id);
  free_at timestamptz;
begin
  if not private.is_service() and new.sender_id is distinct from auth.uid() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if exists (
    select 1 from public.messages
    where id = new.id and sender_id = new.sender_id and recipient_id = new.recipient_id
  ) then
    return null;
  end if;
  if not private.is_service() then
    if not private.can_message(new.sender_id, new.recipient_id) then
      raise exception 'CONVERSATION_CLOSED' using errcode = '42501';
    end if;
    select created_at + interval '1 minute' into free_at
    from public.messages
    where sender_id = new.sender_id and created_at > clock_timestamp() - interval '1 minute'
    order by created_at desc
    offset 29 limit 1;
    if found then
      raise exception 'TOO_MANY_REQUESTS' using errcode = 'P0001',
        detail = ceil(extract(epoch from free_at - clock_timestamp())) || ' s';
    end if;
  end if;

  insert into public.conversations (low_id, high_id) values (low, high)
  on conflict (low_id, high_id) do nothing;
  select id into new.conversation_id from public.conversations
  where low_id = low and high_id = high
  for no key update;
  if exists (select 1 from public.messages where id = new.id and sender_id = new.sender_id) then
    return null;
  end if;
  if not private.is_service() then
    new.created_at := clock_timestamp();
  end if;
  update public.conversations
  set last_number = last_number + 1, last_message_at = new.created_at
  where id = new.conversation_id
  returning last_number into new.number;
  return new;
end;
$$;

create or replace trigger accept_message
before insert on public.messages
for each row execute function private.accept_message();

-- Moves how far someone is in a conversation; the caller has it locked. `read` may go back where
-- `may_go_back`. Gives by how much their unread messages changed.
create or replace function private.move_reader(
  conversation public.conversations,
  person uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  before integer;
  after integer;
begin
  select read_number into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = person;
  insert into public.conversation_readers as earlier
    (conversation_id, user_id, read_number, delivered_number)
  values (conversation.id, person, coalesce(read, 0), greatest(read, delivered, 0))
  on conflict (conversation_id, user_id) do update
  set
    read_number = case
      when read is null then earlier.read_number
      when may_go_back then read
      else greatest(earlier.read_number, read)
    end,
    delivered_number = greatest(earlier.delivered_number, read, delivered)
  returning read_number into after;
  return coalesce(before, 0) - after;
end;
$$;

-- Tells someone's devices how a conversation is now.
create or replace function private.tell_conversation(
  conversation public.conversations,
  person uuid,
  unread_delta integer,
  message jsonb
)
returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || person,
    case when message is null then 'conversation.changed' else 'direct_message.created' end,
    jsonb_build_object(
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', unread_delta
    ) || case when message is null then '{}' else jsonb_build_object('message', message) end
  )
  where person is not null;
$$;

-- A new message: told to the devices of both; its sender has read so far. The recipient is notified
-- once until they have read.
create or replace function private.after_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  sender_delta integer;
  told jsonb := private.direct_message_json(new);
begin
  select * into conversation from public.conversations where id = new.conversation_id;
  sender_delta := private.move_reader(conversation, new.sender_id, new.number, new.number, false);
  if new.read_at is not null then
    perform private.move_reader(conversation, new.recipient_id, new.number, new.number, false);
  end if;
  if current_setting('homeroom.quiet', true) = 'on' then
    return null;
  end if;
  -- The message itself was one more to read, and isn't for who wrote it.
  perform private.tell_conversation(conversation, new.sender_id, sender_delta + 1, told);
  perform private.tell_conversation(conversation, new.recipient_id, 1, told);
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', new.recipient_id,
    'type', 'message',
    'title', format('New messages from %s', private.person_json(new.sender_id) ->> 'name'),
    'message', private.excerpt(new.content),
    'related_entity_type', 'conversation',
    'related_entity_id', conversation.id,
    'dedupe_key', format('conversation %s after %s', conversation.id, coalesce((
      select read_number from public.conversation_readers
      where conversation_id = conversation.id and user_id = new.recipient_id
    ), 0)),
    'data', jsonb_build_object('sender_id', new.sender_id, 'message_number', new.number)
  )));
  return null;
end;
$$;

create or replace trigger after_message
after insert on public.messages
for each row execute function private.after_message();

-- The caller's conversation with someone, locked; raises CONVERSATION_NOT_FOUND.
create or replace function private.lock_conversation(other uuid) returns public.conversations
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
begin
  select * into conversation from public.conversations
  where low_id = least(auth.uid(), other) and high_id = greatest(auth.uid(), other)
  for no key update;
  if not found then
    raise exception 'CONVERSATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  return conversation;
end;
$$;

-- How far the caller is in the conversation with someone: `read` up to a number (null: unchanged),
-- `delivered` to one of their devices; back only where `may_go_back`. Told to their own devices
-- and, where both want receipts, to the other's. Gives the conversation.
create or replace function private.mark_conversation(
  other uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations := private.lock_conversation(other);
  me uuid := auth.uid();
  before public.conversation_readers;
  after public.conversation_readers;
  delta integer;
begin
  select * into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  delta := private.move_reader(
    conversation, me,
    case when read is not null then least(read, conversation.last_number) end,
    case when delivered is not null then least(delivered, conversation.last_number) end,
    may_go_back
  );
  select * into after from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  if after is distinct from before then
    if delta <> 0 then
      perform private.tell_conversation(conversation, me, delta, null);
    end if;
    if private.shares_receipts(me, other) then
      update public.messages
      set read_at = clock_timestamp()
      where conversation_id = conversation.id
        and recipient_id = me
        and read_at is null
        and number <= after.read_number;
      perform private.tell_conversation(conversation, other, 0, null);
    end if;
  end if;
  if read is not null and not may_go_back then
    update public.notifications
    set read_at = clock_timestamp()
    where user_id = me
      and read_at is null
      and related_entity_type = 'conversation'
      and related_entity_id = conversation.id
      and coalesce((data ->> 'message_number')::integer, 0) <= after.read_number;
  end if;
  return private.conversation_json(conversation, me);
end;
$$;
grant execute on function private.mark_conversation(uuid, integer, integer, boolean)
to authenticated;
-- <<< messages/write.sql

-- >>> presence/presence.sql
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
-- <<< presence/presence.sql
