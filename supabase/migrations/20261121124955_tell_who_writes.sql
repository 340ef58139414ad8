set check_function_bodies = off;

CREATE TABLE "private"."due_threads" (
	"thread_id" uuid PRIMARY KEY NOT NULL
);

ALTER TABLE "private"."due_threads" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "private"."due_threads" ADD CONSTRAINT "due_threads_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

-- >>> discussions/activity.sql
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
-- <<< discussions/activity.sql

-- >>> discussions/messages.sql
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
-- <<< discussions/messages.sql

-- >>> jobs.sql
-- The list of jobs.ts for pg_cron, where it is installed; a job of the same name is replaced.
-- Elsewhere the stack runs them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()');
    perform cron.schedule('expire-notifications', '* * * * *', 'select private.expire_notifications()');
    perform cron.schedule('end-ghost-presence', '10 seconds', 'select private.end_ghost_presence()');
    perform cron.schedule('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()');
    perform cron.schedule('tell-crowds', '1 seconds', 'select private.tell_crowds()');
    perform cron.schedule('tell-threads', '1 seconds', 'select private.tell_threads()');
    perform cron.schedule('tend-workshops', '* * * * *', 'select private.tend_workshops()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
  end if;
end;
$$;
-- <<< jobs.sql

-- >>> leaderboard/points.sql
-- The Monday (UTC) with which a week begins, and the board on which its points are counted.
create or replace function private.week_of(moment timestamptz) returns date
language sql immutable
as $$
  select date_trunc('week', moment at time zone 'UTC')::date;
$$;
create or replace function private.board_of(scope text) returns text
language sql stable
as $$
  select case scope when 'week' then 'week-' || private.week_of(now()) else scope end;
$$;

-- Whether somebody is shown on leaderboards: an active student who doesn't hide.
create or replace function private.is_shown(person uuid) returns boolean
language sql stable
as $$
  select exists (select 1 from public.users where id = person and role = 'student' and is_active)
    and not exists (select 1 from public.hidden_students where user_id = person);
$$;

-- Writes points to the ledger, each entry (`{ course, reason, subject, turn, tenths }`) once and for
-- all, and adds them to the student's scores: global, of the week, of each course. An entry that is
-- there already gives nothing. Gives the tenths that were new. It writes the student's own rows and
-- no others, so that no two students wait for each other; `count_scores` does the counting.
create or replace function private.award_points(student uuid, entries jsonb) returns integer
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  given integer;
begin
  with written as (
    insert into public.point_entries (user_id, course_id, reason, subject, turn, tenths)
    select student, course, reason, subject, coalesce(turn, 1), tenths
    from jsonb_to_recordset(entries) as entry (
      course uuid, reason text, subject text, turn integer, tenths integer
    )
    where tenths <> 0
    on conflict do nothing
    returning course_id, tenths
  ), gained as (
    select boards.board, sum(written.tenths)::integer as tenths
    from written
    cross join lateral (
      values ('global'), (private.board_of('week')), (written.course_id::text)
    ) as boards (board)
    where boards.board is not null
    group by boards.board
  ), scored as (
    insert into private.leaderboard_scores as had (board, user_id, score, shown_score, week)
    select
      board, student, tenths, case when private.is_shown(student) then tenths end,
      private.week_of(now())
    from gained
    order by board collate "C"
    on conflict (board, user_id) do update
    set
      score = had.score + excluded.score,
      shown_score = had.shown_score + excluded.score,
      score_before_week = case when had.week = excluded.week then had.score_before_week else had.score end,
      week = excluded.week
  )
  select coalesce(sum(tenths), 0) into given from written;
  return given;
end;
$$;

-- Shows or hides somebody's scores on all boards, as `is_shown` says now.
create or replace function private.refresh_shown(person uuid) returns void
language sql security definer set search_path = ''
as $$
  update private.leaderboard_scores
  set shown_score = case when private.is_shown(person) then score end
  where user_id = person
    and shown_score is distinct from case when private.is_shown(person) then score end;
$$;

-- Hides the caller from all leaderboards, or shows them again.
create or replace function public.set_leaderboard_hidden(hidden boolean) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  person uuid := auth.uid();
begin
  if person is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  if hidden then
    insert into public.hidden_students (user_id) values (person) on conflict do nothing;
  else
    delete from public.hidden_students where user_id = person;
  end if;
  perform private.refresh_shown(person);
  return hidden;
end;
$$;
grant execute on function public.set_leaderboard_hidden(boolean) to authenticated;

-- Who becomes an instructor or is disabled leaves the boards; a new name or picture is told there.
create or replace function private.after_user_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if (new.role, new.is_active) is distinct from (old.role, old.is_active) then
    perform private.refresh_shown(new.id);
  end if;
  if (new.first_name, new.last_name, new.avatar_url)
    is distinct from (old.first_name, old.last_name, old.avatar_url) then
    -- Locked in the order in which the job that tells the boards takes them.
    update private.leaderboard_told
    set is_stale = true
    from (
      select scope from private.leaderboard_told
      where board in (
        select scores.board from private.leaderboard_scores as scores where user_id = new.id
      )
      order by scope
      for no key update
    ) as theirs
    where leaderboard_told.scope = theirs.scope;
  end if;
  return null;
end;
$$;
create or replace trigger after_user_change
after update of role, is_active, first_name, last_name, avatar_url on public.users
for each row execute function private.after_user_change();

-- A user who is erased is not counted any more.
create or replace function private.uncount_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update private.leaderboard_counts as had
  set students = had.students - gone.students
  from (
    select board, level, counted_score >> (6 * level) as bucket, count(*) as students
    from erased, generate_series(0, 2) as level
    where counted_score is not null
    group by 1, 2, 3
  ) as gone
  where had.board = gone.board and had.level = gone.level and had.bucket = gone.bucket;
  update private.leaderboard_told set is_stale = true
  where board in (select erased.board from erased);
  return null;
end;
$$;
create or replace trigger uncount_scores
after delete on private.leaderboard_scores
referencing old table as erased
for each statement execute function private.uncount_scores();

-- Scores are updated at every completion: room on their pages.
alter table private.leaderboard_scores set (fillfactor = 80);
-- <<< leaderboard/points.sql

-- >>> presence/typing.sql
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
-- <<< presence/typing.sql
