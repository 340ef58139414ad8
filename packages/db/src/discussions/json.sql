-- A thread as the API and the events show it; the same to everybody.
create or replace function private.thread_json(thread public.discussion_threads) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', thread.id,
      'courseId', thread.course_id,
      'lessonId', thread.lesson_id,
      'title', thread.title,
      'createdBy', private.person_json(thread.created_by),
      'createdAt', private.iso_time(thread.created_at),
      'isPinned', thread.is_pinned,
      'isLocked', thread.is_locked,
      'isClosed', not thread.is_active,
      'slowModeSeconds', thread.slow_mode_seconds,
      'answerId', thread.answer_id,
      'lastNumber', thread.last_number,
      'lastMessageAt', private.iso_time(thread.last_message_at),
      'lastSender', private.person_json(thread.last_sender_id)
    )
  );
end;
$$;
grant execute on function private.thread_json(public.discussion_threads) to authenticated;

-- The first words of a Markdown text, for a line in a list: mentions as names, without code fences.
create or replace function private.excerpt(content text) returns text
language sql immutable
as $$
  select left(
    trim(regexp_replace(
      regexp_replace(content, '\[@?([^\]]*)\]\(mention:[^)]*\)', '@\1', 'g'),
      '[`\s]+', ' ', 'g'
    )),
    140
  );
$$;

-- A message as the API and the events show it: what belongs to it alone, and is the same to
-- everybody. Of a deleted one, that it was there.
create or replace function private.thread_message_json(message public.thread_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', message.id,
      'threadId', message.thread_id,
      'number', message.number,
      'sender', private.person_json(message.sender_id),
      'isByStaff', exists (
        select 1 from public.course_instructors
        where course_id = thread.course_id and user_id = message.sender_id
      ) or exists (
        select 1 from public.users where id = message.sender_id and role = 'admin' and is_active
      ),
      'content', message.content,
      'excerpt', private.excerpt(message.content),
      'parent', (
        select jsonb_build_object(
          'id', parent.id,
          'number', parent.number,
          'sender', private.person_json(parent.sender_id),
          'excerpt', private.excerpt(parent.content)
        )
        from public.thread_messages as parent
        where parent.id = message.parent_id
      ),
      'mentions', coalesce((
        select jsonb_agg(private.person_json(mentioned) order by position)
        from unnest(message.mentions) with ordinality as mention (mentioned, position)
      ), '[]'),
      'endorsedBy', private.person_json(message.endorsed_by),
      'createdAt', private.iso_time(message.created_at),
      'editedAt', private.iso_time(message.edited_at),
      'deletedAt', private.iso_time(message.deleted_at),
      'deletedBy', case
        when message.deleted_at is null then null
        when message.deleted_by is not distinct from message.sender_id then 'sender'
        else 'staff'
      end
    )
    from public.discussion_threads as thread
    where thread.id = message.thread_id
  );
end;
$$;
grant execute on function private.thread_message_json(public.thread_messages) to authenticated;

-- What others have put beside a message: how many replies, and the signs, with which are the
-- caller's. Events tell differences of it, since those add up whoever commits first.
create or replace function private.thread_message_surroundings(message uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'replyCount', (select count(*) from public.thread_messages where parent_id = message),
      'reactions', coalesce((
        select jsonb_agg(jsonb_build_object('emoji', emoji, 'count', count, 'isMine', is_mine))
        from (
          select emoji, count(*) as count, bool_or(user_id = (select auth.uid())) as is_mine
          from public.thread_message_reactions
          where message_id = message
          group by emoji
          order by emoji
        ) as signs
      ), '[]')
    )
  );
end;
$$;
grant execute on function private.thread_message_surroundings(uuid) to authenticated;

-- How far the caller has read in a thread, and how closely they follow it.
create or replace function private.thread_reader_json(reader public.thread_readers) returns jsonb
language sql immutable
as $$
  select jsonb_build_object(
    'threadId', reader.thread_id, 'readNumber', reader.read_number, 'level', reader.level
  );
$$;
grant execute on function private.thread_reader_json(public.thread_readers) to authenticated;
