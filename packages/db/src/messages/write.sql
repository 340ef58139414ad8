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
