grant select on public.thread_readers to authenticated;

-- Raises THREAD_NOT_FOUND unless the caller may read the thread; gives its course.
create or replace function private.check_reads_thread(thread uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
declare
  course uuid := (select course_id from public.discussion_threads where id = thread);
begin
  if course is null or not private.is_course_member(course, auth.uid()) then
    raise exception 'THREAD_NOT_FOUND' using errcode = 'P0002';
  end if;
  return course;
end;
$$;

-- Tells someone's devices how far they have read in a thread.
create or replace function private.tell_thread_reader(reader public.thread_readers) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || reader.user_id,
    'thread.read',
    private.thread_reader_json(reader) || jsonb_build_object(
      'courseId', (select course_id from public.discussion_threads where id = reader.thread_id)
    )
  );
$$;

-- Who writes in a thread has read up to what they wrote, and sees from now on what is unread, unless
-- they have decided themselves how closely to follow it.
create or replace function private.read_by_writing(thread uuid, person uuid, number integer)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  insert into public.thread_readers as earlier (thread_id, user_id, read_number, level)
  values (thread, person, number, 'tracking')
  on conflict (thread_id, user_id) do update
  set
    read_number = greatest(earlier.read_number, excluded.read_number),
    level = case when earlier.level = 'normal' then excluded.level else earlier.level end
  returning * into reader;
  perform private.tell_thread_reader(reader);
end;
$$;

-- The caller has read a thread up to a number: never less than before, never more than there is.
-- Its notifications up to there are read too. Gives how far they have read now. Told to their
-- devices when that changed.
create or replace function private.mark_thread_read(thread uuid, number integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
  before integer;
begin
  perform private.check_reads_thread(thread);
  number := least(number, (select last_number from public.discussion_threads where id = thread));
  insert into public.thread_readers (thread_id, user_id)
  values (thread, auth.uid())
  on conflict (thread_id, user_id) do nothing;
  select * into reader from public.thread_readers
  where thread_id = thread and user_id = auth.uid()
  for no key update;
  before := reader.read_number;
  if number > before then
    update public.thread_readers set read_number = number
    where thread_id = thread and user_id = auth.uid()
    returning * into reader;
    perform private.tell_thread_reader(reader);
  end if;
  update public.notifications
  set read_at = clock_timestamp()
  where user_id = auth.uid()
    and read_at is null
    and related_entity_type = 'thread'
    and related_entity_id = thread
    and coalesce((data ->> 'message_number')::integer, 0) <= number;
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.mark_thread_read(uuid, integer) to authenticated;

-- The caller wants a message and all after it to be unread again.
create or replace function private.mark_thread_unread(thread uuid, number integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  perform private.check_reads_thread(thread);
  update public.thread_readers
  set read_number = least(read_number, greatest(number, 1) - 1)
  where thread_id = thread and user_id = auth.uid()
  returning * into reader;
  if not found then
    insert into public.thread_readers (thread_id, user_id)
    values (thread, auth.uid())
    on conflict (thread_id, user_id) do update set read_number = 0
    returning * into reader;
  end if;
  perform private.tell_thread_reader(reader);
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.mark_thread_unread(uuid, integer) to authenticated;

-- How closely the caller wants to follow a thread from now on.
create or replace function private.follow_thread(thread uuid, level text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  perform private.check_reads_thread(thread);
  insert into public.thread_readers (thread_id, user_id, level)
  values (thread, auth.uid(), follow_thread.level)
  on conflict (thread_id, user_id) do update set level = excluded.level
  returning * into reader;
  perform private.tell_thread_reader(reader);
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.follow_thread(uuid, text) to authenticated;
