-- A thread has a new message: the list of its course is told within a second, together with what
-- else has happened there. Its caller has the thread locked.
create or replace function private.thread_is_due(thread uuid) returns void
language sql set search_path = ''
as $$
  insert into private.due_threads (thread_id) values (thread)
  on conflict (thread_id) do update set thread_id = excluded.thread_id;
$$;

-- Tells each course's list which of its threads have new messages, as one event. Run each second,
-- so that a course in which many write costs those who look at its list one event a second. Locks
-- the threads, before their rows here, as who writes does: so what is told is the newest there is,
-- and no change of a thread overtakes it. A thread that is being written in waits for the next
-- second. Gives how many courses were told.
create or replace function private.tell_threads() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  active record;
  told integer := 0;
begin
  for active in
    with locked as materialized (
      select thread.id, thread.course_id, thread
      from public.discussion_threads as thread
      where thread.id in (select thread_id from private.due_threads)
      for no key update skip locked
    ), taken as (
      delete from private.due_threads where thread_id in (select id from locked)
    )
    select course_id, jsonb_agg(private.thread_json(thread)) as threads
    from locked
    group by course_id
  loop
    perform private.publish(
      'course:' || active.course_id,
      'thread.activity',
      jsonb_build_object('threads', active.threads)
    );
    told := told + 1;
  end loop;
  return told;
end;
$$;
