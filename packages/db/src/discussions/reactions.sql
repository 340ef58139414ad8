grant select, insert (message_id, user_id, emoji), delete on public.thread_message_reactions
to authenticated;

-- A sign was put under a message, or taken away: told as a difference, which adds up whoever
-- commits first. One that goes with its message is not told.
create or replace function private.after_thread_message_reaction() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  reaction public.thread_message_reactions := coalesce(new, old);
  thread uuid := (select thread_id from public.thread_messages where id = reaction.message_id);
begin
  if thread is not null then
    perform private.publish(
      'thread:' || thread,
      'message.reacted',
      jsonb_build_object(
        'messageId', reaction.message_id,
        'emoji', reaction.emoji,
        'userId', reaction.user_id,
        'countDelta', case tg_op when 'INSERT' then 1 else -1 end
      )
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_thread_message_reaction
after insert or delete on public.thread_message_reactions
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_message_reaction();
