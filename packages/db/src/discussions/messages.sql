-- What a member writes; number, mentions, moments and endorsement are the server's.
grant insert (id, thread_id, sender_id, parent_id, content), update (content)
on public.thread_messages to authenticated;
grant select on public.thread_message_revisions to authenticated;

-- The people a Markdown text names as `[@…](mention:<id>)`, who are in the course; at most twenty,
-- so that no message rings a whole class.
create or replace function private.mentioned_members(content text, course uuid) returns uuid[]
language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(person order by first_at), '{}')
  from (
    select found.parts[1]::uuid as person, min(found.position) as first_at
    from regexp_matches(
      content,
      '\(mention:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)',
      'g'
    ) with ordinality as found (parts, position)
    group by 1
    order by 2
    limit 20
  ) as named
  where private.is_course_member(course, person);
$$;

-- Raises why a member of the course may not write in a thread now. Its staff may write in locked
-- ones.
create or replace function private.check_may_write(thread public.discussion_threads, person uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not thread.is_active then
    raise exception 'THREAD_CLOSED' using errcode = '42501';
  end if;
  if thread.is_locked and not private.is_course_staff(thread.course_id, person) then
    raise exception 'THREAD_LOCKED' using errcode = '42501';
  end if;
end;
$$;

-- Raises how many seconds someone has to wait before they write again: the thread's slow mode, and
-- twenty messages a minute over all threads. Exact, since the caller has the thread locked, and a
-- person who writes in many threads at once is held up by the twenty.
create or replace function private.check_pace(thread public.discussion_threads, person uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  free_at timestamptz;
begin
  if private.is_course_staff(thread.course_id, person) then
    return;
  end if;
  if thread.slow_mode_seconds > 0 then
    select max(created_at) + make_interval(secs => thread.slow_mode_seconds) into free_at
    from public.thread_messages
    where sender_id = person
      and thread_id = thread.id
      and created_at > moment - make_interval(secs => thread.slow_mode_seconds);
    if free_at > moment then
      raise exception 'SLOW_MODE'
        using errcode = 'P0001', detail = ceil(extract(epoch from free_at - moment)) || ' s';
    end if;
  end if;
  select created_at + interval '1 minute' into free_at
  from public.thread_messages
  where sender_id = person and created_at > moment - interval '1 minute'
  order by created_at desc
  offset 19 limit 1;
  if found then
    raise exception 'TOO_MANY_REQUESTS'
      using errcode = 'P0001', detail = ceil(extract(epoch from free_at - moment)) || ' s';
  end if;
end;
$$;

-- Numbers a message, under the lock of its thread, which its writers share until they commit. Sent
-- again, with the same id by the same sender, it is left out: the first one stands. Services may
-- write history: who, when and where they like.
create or replace function private.accept_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
  root_id uuid;
begin
  if not private.is_service() then
    if new.sender_id is distinct from auth.uid() then
      raise exception 'FORBIDDEN' using errcode = '42501';
    end if;
    -- Before the lock: strangers hold up nobody.
    perform private.check_reads_thread(new.thread_id);
  end if;

  select * into thread from public.discussion_threads
  where id = new.thread_id
  for no key update;
  if exists (
    select 1 from public.thread_messages
    where id = new.id and thread_id = new.thread_id and sender_id = new.sender_id
  ) then
    return null;
  end if;
  if not private.is_service() then
    perform private.check_may_write(thread, new.sender_id);
    perform private.check_pace(thread, new.sender_id);
    new.created_at := clock_timestamp();
  end if;
  if new.parent_id is not null then
    -- One level of replies: a reply to a reply belongs to what that one replies to. Locked, so that
    -- what is told of it beside the reply isn't being edited.
    select coalesce(parent_id, id) into root_id
    from public.thread_messages
    where id = new.parent_id and thread_id = new.thread_id;
    perform from public.thread_messages where id = root_id for share;
    if not found then
      raise exception 'MESSAGE_NOT_FOUND' using errcode = '23503';
    end if;
    new.parent_id := root_id;
  end if;

  new.mentions := private.mentioned_members(new.content, thread.course_id);
  update public.discussion_threads
  set
    last_number = last_number + 1,
    last_message_at = new.created_at,
    last_sender_id = new.sender_id
  where id = new.thread_id
  returning last_number into new.number;
  return new;
end;
$$;

create or replace trigger accept_thread_message
before insert on public.thread_messages
for each row execute function private.accept_thread_message();

-- Who is notified of a message: whoever it names, the one it replies to, and who watches the
-- thread, each once, for the first of these reasons; not its sender, and nobody who muted the
-- thread. Watchers are told once until they have read.
create or replace function private.thread_message_intents(
  message public.thread_messages,
  thread public.discussion_threads,
  named uuid[]
)
returns jsonb
language sql stable set search_path = ''
as $$
  with author as (
    select private.display_name(first_name, last_name) as name
    from public.users where id = message.sender_id
  ), reasons as (
    select person, 1 as rank, 'mention' as type, '%s mentioned you' as title,
      'mention ' || message.id as dedupe_key
    from unnest(named) as person
    union all
    select parent.sender_id, 2, 'message', '%s replied to you', 'reply ' || message.id
    from public.thread_messages as parent
    where parent.id = message.parent_id
    union all
    select user_id, 3, 'message', 'New messages in a discussion',
      format('thread %s after %s', thread_id, read_number)
    from public.thread_readers
    where thread_id = message.thread_id and level = 'watching'
  ), first_reasons as (
    select distinct on (person) *
    from reasons
    where person is distinct from message.sender_id
      and private.is_course_member(thread.course_id, person)
      and not exists (
        select 1 from public.thread_readers
        where thread_id = message.thread_id and user_id = person and level = 'muted'
      )
    order by person, rank
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'user_id', person,
    'type', type,
    'title', format(title, coalesce((select name from author), 'Someone')),
    'message', format('"%s": %s', thread.title, private.excerpt(message.content)),
    'course_id', thread.course_id,
    'related_entity_type', 'thread',
    'related_entity_id', thread.id,
    'dedupe_key', dedupe_key,
    'data', jsonb_build_object(
      'course_id', thread.course_id,
      'thread_id', thread.id,
      'thread_title', thread.title,
      'message_id', message.id,
      'message_number', message.number
    )
  )), '[]')
  from first_reasons
  where person is not null;
$$;

-- A new message: told in the thread, and within a second in the course's list; its sender has read so far
-- and sees from now on what is unread; who is meant is notified.
create or replace function private.after_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  perform private.publish(
    'thread:' || new.thread_id,
    'message.created',
    jsonb_build_object('message', private.thread_message_json(new))
  );
  perform private.thread_is_due(new.thread_id);
  if new.sender_id is not null then
    perform private.read_by_writing(new.thread_id, new.sender_id, new.number);
  end if;
  perform private.notify(private.thread_message_intents(new, thread, new.mentions));
  return null;
end;
$$;

create or replace trigger after_thread_message
after insert on public.thread_messages
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_message();

-- A message's content changes: what it said is kept. Its sender edits it where they could write it;
-- `delete_thread_message` empties it.
create or replace function private.revise_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  if new.deleted_at is null then
    if not private.is_service() then
      perform private.check_may_write(thread, auth.uid());
    end if;
    new.edited_at := clock_timestamp();
    new.mentions := private.mentioned_members(new.content, thread.course_id);
  end if;
  insert into public.thread_message_revisions (message_id, content, written_at)
  values (old.id, old.content, coalesce(old.edited_at, old.created_at));
  return new;
end;
$$;

create or replace trigger revise_thread_message
before update of content on public.thread_messages
for each row
when (old.content is distinct from new.content)
execute function private.revise_thread_message();

-- A message was edited, deleted or endorsed: told as it is now. Whoever is named only since the
-- edit is notified.
create or replace function private.after_thread_message_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
  newly_named uuid[] := array(
    select person from unnest(new.mentions) as person where person <> all (old.mentions)
  );
begin
  perform private.publish(
    'thread:' || new.thread_id,
    'message.updated',
    jsonb_build_object('message', private.thread_message_json(new))
  );
  if newly_named <> '{}' and new.deleted_at is null then
    select * into thread from public.discussion_threads where id = new.thread_id;
    perform private.notify(coalesce((
      select jsonb_agg(intent)
      from jsonb_array_elements(private.thread_message_intents(new, thread, newly_named)) as intent
      where intent ->> 'type' = 'mention'
    ), '[]'));
  end if;
  return null;
end;
$$;

create or replace trigger after_thread_message_change
after update on public.thread_messages
for each row
when (
  (old.content, old.deleted_at, old.endorsed_by)
    is distinct from
  (new.content, new.deleted_at, new.endorsed_by)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.after_thread_message_change();

-- Empties a message; its place and its sender stay. For its sender and the course's staff, who can
-- still read what it said. Deleted once, it stays as it is. Locks the thread, then the message.
create or replace function private.delete_thread_message(message uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages;
  course uuid;
begin
  select course_id into course
  from public.discussion_threads
  where id = (select thread_id from public.thread_messages where id = message)
  for no key update;
  select * into target from public.thread_messages where id = message for no key update;
  if course is null or not private.is_course_member(course, auth.uid()) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if target.sender_id is distinct from auth.uid()
    and not private.is_course_staff(course, auth.uid())
  then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if target.deleted_at is null then
    update public.discussion_threads set answer_id = null where answer_id = message;
    update public.thread_messages
    set content = '', mentions = '{}', endorsed_by = null,
      deleted_at = clock_timestamp(), deleted_by = auth.uid()
    where id = message
    returning * into target;
  end if;
  return private.thread_message_json(target);
end;
$$;
grant execute on function private.delete_thread_message(uuid) to authenticated;
