-- What a member may say about a thread when opening one; the rest is the server's and the staff's.
grant insert (id, course_id, lesson_id, title, created_by) on public.discussion_threads
to authenticated;
grant update (title, is_active, is_pinned, is_locked, slow_mode_seconds, answer_id)
on public.discussion_threads to authenticated;

-- A thread's lesson belongs to its course, its answer to itself.
create or replace function private.check_thread() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.lesson_id is not null and not exists (
    select 1
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where lessons.id = new.lesson_id and modules.course_id = new.course_id
  ) then
    raise exception 'LESSON_NOT_FOUND' using errcode = '23503';
  end if;
  if new.answer_id is not null and not exists (
    select 1 from public.thread_messages
    where id = new.answer_id and thread_id = new.id and deleted_at is null
  ) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = '23503';
  end if;
  return new;
end;
$$;

create or replace trigger check_thread
before insert or update of lesson_id, answer_id on public.discussion_threads
for each row execute function private.check_thread();

-- A new thread: the course hears of it, its maker follows it, and the staff is notified.
create or replace function private.after_thread_opened() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  maker text := (
    select private.display_name(first_name, last_name) from public.users where id = new.created_by
  );
begin
  perform private.publish(
    'course:' || new.course_id,
    'thread.created',
    jsonb_build_object('thread', private.thread_json(new))
  );
  -- Not told by itself: the first message tells it.
  insert into public.thread_readers (thread_id, user_id, level)
  select new.id, new.created_by, 'watching'
  where new.created_by is not null;
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', staff.user_id,
      'type', 'message',
      'title', 'New discussion',
      'message', format('%s opened "%s" in "%s"', coalesce(maker, 'Someone'), new.title, courses.title),
      'course_id', new.course_id,
      'related_entity_type', 'thread',
      'related_entity_id', new.id,
      'data', jsonb_build_object(
        'course_id', new.course_id,
        'course_title', courses.title,
        'thread_id', new.id,
        'thread_title', new.title
      )
    ))
    from public.course_instructors as staff
    join public.courses on courses.id = staff.course_id
    where staff.course_id = new.course_id and staff.user_id is distinct from new.created_by
  ), '[]'));
  return null;
end;
$$;

create or replace trigger after_thread_opened
after insert on public.discussion_threads
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_opened();

-- A thread was moderated: those in it and those who look at the list hear how it is now.
create or replace function private.after_thread_moderated() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  change jsonb := jsonb_build_object('thread', private.thread_json(new));
begin
  perform private.publish('thread:' || new.id, 'thread.updated', change);
  perform private.publish('course:' || new.course_id, 'thread.updated', change);
  return null;
end;
$$;

create or replace trigger after_thread_moderated
after update on public.discussion_threads
for each row
when (
  (old.title, old.is_active, old.is_pinned, old.is_locked, old.slow_mode_seconds, old.answer_id)
    is distinct from
  (new.title, new.is_active, new.is_pinned, new.is_locked, new.slow_mode_seconds, new.answer_id)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.after_thread_moderated();

-- A thread is gone: those who look at the list hear of it.
create or replace function private.after_thread_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || old.course_id, 'thread.removed', jsonb_build_object('threadId', old.id)
  );
  return null;
end;
$$;

create or replace trigger after_thread_removed
after delete on public.discussion_threads
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_removed();
