-- The caller is writing, in a thread or to a person: told at once on the topic of those who see it,
-- without a number, since nobody needs to hear of it later. By the database, which alone speaks on a
-- topic: so the name is the server's, and nobody can be seen to write who doesn't. Not told of or
-- to whom wants no typing to be seen, of who is invisible, nor where there is a crowd. For those who
-- may write there; others get what writing itself would raise.
create or replace function private.tell_typing(place text) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  subject uuid := split_part(place, ':', 2)::uuid;
  thread public.discussion_threads;
begin
  if exists (select 1 from public.message_settings where user_id = me and not shows_typing)
    or exists (select 1 from public.presence_settings where user_id = me and is_invisible)
  then
    return;
  end if;
  if place like 'thread:%' then
    perform private.check_reads_thread(subject);
    select * into thread from public.discussion_threads where id = subject;
    perform private.check_may_write(thread, me);
    if (select count(*) from private.presence_leases where topic = place) > 100 then
      return;
    end if;
  elsif place like 'user:%' then
    if not private.can_message(me, subject) then
      raise exception 'CONVERSATION_CLOSED' using errcode = '42501';
    end if;
    if exists (select 1 from public.message_settings where user_id = subject and not shows_typing)
    then
      return;
    end if;
  else
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  perform realtime.send(
    jsonb_build_object('person', private.person_json(me)),
    'typing',
    private.channel_of(
      place,
      coalesce((select epoch from private.live_topics where topic = place), 0)
    ),
    true
  );
end;
$$;
grant execute on function private.tell_typing(text) to authenticated;
