-- Which answers helped: a student's message that the staff has endorsed, or made its thread's answer,
-- while it stands. Kept in `thread_messages.is_helpful`, judged under the lock of the message's row, so
-- that whatever happens at once, each message counts once for its sender, and stops counting once.
create or replace function private.judge_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  new.is_helpful := new.deleted_at is null
    and new.sender_id is not null
    and (new.endorsed_by is not null or thread.answer_id is not distinct from new.id)
    and not private.is_course_staff(thread.course_id, new.sender_id);
  return new;
end;
$$;

create or replace trigger judge_helpful
before update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row execute function private.judge_helpful();

-- Counts it for its sender, with what that earns, in the same transaction.
create or replace function private.count_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.count_helpful_answers(new.sender_id, case when new.is_helpful then 1 else -1 end);
  return null;
end;
$$;

create or replace trigger count_helpful
after update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row
when (old.is_helpful <> new.is_helpful and new.sender_id is not null)
execute function private.count_helpful();

-- A thread has another answer, or none any more: both messages are judged again, one after the other
-- in the order of their ids.
create or replace function private.after_answer_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  message uuid;
begin
  for message in
    select id from unnest(array[old.answer_id, new.answer_id]) as id where id is not null order by id
  loop
    update public.thread_messages set is_helpful = is_helpful where id = message;
  end loop;
  return null;
end;
$$;

create or replace trigger after_answer_change
after update of answer_id on public.discussion_threads
for each row
when (old.answer_id is distinct from new.answer_id)
execute function private.after_answer_change();
