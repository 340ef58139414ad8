set check_function_bodies = off;

CREATE TABLE "thread_message_reactions" (
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"emoji" text NOT NULL,
	CONSTRAINT "thread_message_reactions_once_per_sign" PRIMARY KEY("message_id","emoji","user_id"),
	CONSTRAINT "thread_message_reactions_are_known" CHECK (emoji in ('👍', '❤️', '🎉', '😄', '🤔', '👀', '🙏', '✅'))
);

ALTER TABLE "thread_message_reactions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_message_reports" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"message_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"reporter_id" uuid,
	"reason" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"snapshot" jsonb NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"resolved_by" uuid,
	"resolved_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "thread_message_reports_once_per_reporter" UNIQUE("message_id","reporter_id"),
	CONSTRAINT "thread_message_reports_have_a_known_reason" CHECK (reason in ('spam', 'harassment', 'cheating', 'off_topic', 'other')),
	CONSTRAINT "thread_message_reports_have_a_known_status" CHECK (status in ('open', 'dismissed', 'removed')),
	CONSTRAINT "thread_message_reports_have_a_short_note" CHECK (char_length(note) <= 1000)
);

ALTER TABLE "thread_message_reports" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_message_revisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "thread_message_revisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"message_id" uuid NOT NULL,
	"content" text NOT NULL,
	"written_at" timestamp with time zone NOT NULL,
	"replaced_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "thread_message_revisions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_readers" (
	"thread_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_number" integer DEFAULT 0 NOT NULL,
	"level" text DEFAULT 'normal' NOT NULL,
	CONSTRAINT "thread_readers_once" PRIMARY KEY("thread_id","user_id"),
	CONSTRAINT "thread_readers_have_a_known_level" CHECK (level in ('watching', 'tracking', 'normal', 'muted')),
	CONSTRAINT "thread_readers_count_up" CHECK (read_number >= 0)
);

ALTER TABLE "thread_readers" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "thread_messages" DROP CONSTRAINT "thread_messages_say_something";

ALTER TABLE "discussion_threads" ADD COLUMN "slow_mode_seconds" integer DEFAULT 0 NOT NULL;

ALTER TABLE "discussion_threads" ADD COLUMN "answer_id" uuid;

ALTER TABLE "discussion_threads" ADD COLUMN "last_number" integer DEFAULT 0 NOT NULL;

ALTER TABLE "discussion_threads" ADD COLUMN "last_message_at" timestamp with time zone DEFAULT now() NOT NULL;

ALTER TABLE "discussion_threads" ADD COLUMN "last_sender_id" uuid;

ALTER TABLE "thread_messages" ADD COLUMN "number" integer DEFAULT 0 NOT NULL;

ALTER TABLE "thread_messages" ADD COLUMN "parent_id" uuid;

ALTER TABLE "thread_messages" ADD COLUMN "mentions" uuid[] DEFAULT '{}' NOT NULL;

ALTER TABLE "thread_messages" ADD COLUMN "endorsed_by" uuid;

ALTER TABLE "thread_messages" ADD COLUMN "deleted_by" uuid;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_reporter_id_users_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_revisions" ADD CONSTRAINT "thread_message_revisions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "thread_message_reactions_by_user" ON "thread_message_reactions" USING btree ("user_id");

CREATE INDEX "thread_message_reports_newest_first" ON "thread_message_reports" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "thread_message_revisions_in_order" ON "thread_message_revisions" USING btree ("message_id","id");

CREATE INDEX "thread_readers_by_user" ON "thread_readers" USING btree ("user_id");

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_answer_id_thread_messages_id_fk" FOREIGN KEY ("answer_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_last_sender_id_users_id_fk" FOREIGN KEY ("last_sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_parent_id_thread_messages_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_endorsed_by_users_id_fk" FOREIGN KEY ("endorsed_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_deleted_by_users_id_fk" FOREIGN KEY ("deleted_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "discussion_threads_as_listed" ON "discussion_threads" USING btree ("course_id","is_pinned" DESC NULLS LAST,"last_message_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "discussion_threads_by_lesson" ON "discussion_threads" USING btree ("lesson_id") WHERE lesson_id is not null;

-- Messages that are there already are numbered in the order of their moments.
update thread_messages
set number = counted.number
from (
  select id, row_number() over (partition by thread_id order by created_at, id) as number
  from thread_messages
) as counted
where counted.id = thread_messages.id;

update discussion_threads
set
  last_number = newest.number,
  last_message_at = newest.created_at,
  last_sender_id = newest.sender_id
from (
  select distinct on (thread_id) thread_id, number, created_at, sender_id
  from thread_messages
  order by thread_id, number desc
) as newest
where newest.thread_id = discussion_threads.id;

CREATE UNIQUE INDEX "thread_messages_in_order" ON "thread_messages" USING btree ("thread_id","number");

CREATE INDEX "thread_messages_by_sender" ON "thread_messages" USING btree ("sender_id","created_at" DESC NULLS LAST);

CREATE INDEX "thread_messages_replies" ON "thread_messages" USING btree ("parent_id","number") WHERE parent_id is not null;

CREATE INDEX "thread_messages_by_words" ON "thread_messages" USING gin (to_tsvector('english', content));

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_slow_down_to_an_hour" CHECK (slow_mode_seconds between 0 and 3600);

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_count_up" CHECK (last_number >= 0);

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_say_something" CHECK (char_length(content) <= 20000 and (content ~ '\S' or deleted_at is not null));

-- >>> discussions/json.sql
-- A thread as the API and the events show it; the same to everybody.
create or replace function private.thread_json(thread public.discussion_threads) returns jsonb
language sql stable set search_path = ''
as $$
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
  );
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
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', message.id,
    'threadId', message.thread_id,
    'number', message.number,
    'sender', private.person_json(message.sender_id),
    'isByStaff', private.is_course_staff(thread.course_id, message.sender_id),
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
  where thread.id = message.thread_id;
$$;
grant execute on function private.thread_message_json(public.thread_messages) to authenticated;

-- What others have put beside a message: how many replies, and the signs, with which are the
-- caller's. Events tell differences of it, since those add up whoever commits first.
create or replace function private.thread_message_surroundings(message uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
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
  );
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
-- <<< discussions/json.sql

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

-- A new message: told in the thread, and in short in the course's list; its sender has read so far
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
  perform private.publish(
    'course:' || thread.course_id,
    'thread.activity',
    jsonb_build_object('thread', private.thread_json(thread))
  );
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

-- >>> discussions/moderation.sql
grant select on public.thread_message_reports to authenticated;

-- A message that the caller may read; raises MESSAGE_NOT_FOUND otherwise.
create or replace function private.readable_thread_message(message uuid)
returns public.thread_messages
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.thread_messages;
begin
  select thread_messages.* into target
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message
    and thread_messages.deleted_at is null
    and private.is_course_member(thread.course_id, auth.uid());
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- An instructor says that a message is right, or takes that back. For the course's staff.
create or replace function private.endorse_thread_message(message uuid, is_endorsed boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
begin
  if not private.is_course_staff(private.check_reads_thread(target.thread_id), auth.uid()) then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  update public.thread_messages
  set endorsed_by = case when is_endorsed then coalesce(endorsed_by, auth.uid()) end
  where id = message and deleted_at is null
  returning * into target;
  return private.thread_message_json(target);
end;
$$;
grant execute on function private.endorse_thread_message(uuid, boolean) to authenticated;

-- The caller thinks that a message shouldn't stand: kept as it is now, and its course's staff is
-- notified. Reported again by the same person, the first report stands. Gives the report's id.
create or replace function private.report_thread_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
  thread public.discussion_threads;
  report uuid;
begin
  select * into thread from public.discussion_threads where id = target.thread_id;
  insert into public.thread_message_reports
    (message_id, course_id, reporter_id, reason, note, snapshot)
  values (
    message, thread.course_id, auth.uid(), report_thread_message.reason,
    report_thread_message.note,
    private.thread_message_json(target) || jsonb_build_object('threadTitle', thread.title)
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.thread_message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_thread_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', staff.user_id,
      'type', 'system',
      'level', 'warning',
      'title', 'A message was reported',
      'message', format('In "%s": %s', thread.title, private.excerpt(target.content)),
      'course_id', thread.course_id,
      'related_entity_type', 'thread',
      'related_entity_id', thread.id,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object(
        'course_id', thread.course_id, 'thread_id', thread.id, 'message_id', message
      )
    ))
    from public.course_instructors as staff
    where staff.course_id = thread.course_id and staff.user_id <> auth.uid()
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_thread_message(uuid, text, text) to authenticated;

-- A report as the API and the events show it to the course's staff.
create or replace function private.thread_report_json(report public.thread_message_reports)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', report.id,
    'messageId', report.message_id,
    'reporter', private.person_json(report.reporter_id),
    'reason', report.reason,
    'note', report.note,
    'snapshot', report.snapshot,
    'status', report.status,
    'resolvedBy', private.person_json(report.resolved_by),
    'resolvedAt', private.iso_time(report.resolved_at),
    'createdAt', private.iso_time(report.created_at)
  );
$$;
grant execute on function private.thread_report_json(public.thread_message_reports)
to authenticated;

-- Tells the course's staff how a report stands.
create or replace function private.tell_thread_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    format('course:%s:staff', course_id),
    'report.updated',
    jsonb_build_object('report', private.thread_report_json(thread_message_reports))
  )
  from public.thread_message_reports
  where id = report;
$$;

-- What becomes of the open reports of a message: it is removed, or nothing was wrong with it. For
-- the course's staff. Gives how many reports that resolved.
create or replace function private.resolve_thread_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
  resolved uuid[];
begin
  select thread.course_id into course
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message;
  if course is null or not private.is_course_staff(course, auth.uid()) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if resolve_thread_reports.status = 'removed' then
    perform private.delete_thread_message(message);
  end if;
  with changed as (
    update public.thread_message_reports as report
    set status = resolve_thread_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_thread_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_thread_reports(uuid, text) to authenticated;
-- <<< discussions/moderation.sql

-- >>> discussions/reactions.sql
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
-- <<< discussions/reactions.sql

-- >>> discussions/reading.sql
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
-- <<< discussions/reading.sql

-- >>> discussions/search.sql
-- The messages of a course that hold the words (in the manner of web searches: "a phrase", or,
-- -without), best first, newer before older among equals. `excerpt` marks the words with the
-- control characters 1 and 2, which no message is shown with, so that no markup is made here. For
-- the course's members; raises COURSE_NOT_FOUND for others. It reads past row level security,
-- under which Postgres would not use the index of words: so the course is checked here.
create or replace function private.search_thread_messages(
  course uuid,
  words text,
  max integer,
  after integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  wanted tsquery := websearch_to_tsquery('pg_catalog.english', words);
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(
      jsonb_build_object(
        'messageId', id,
        'number', number,
        'threadId', thread_id,
        'threadTitle', title,
        'sender', private.person_json(sender_id),
        'createdAt', private.iso_time(created_at),
        'excerpt', ts_headline(
          'pg_catalog.english',
          translate(content, e'\x01\x02', ''),
          wanted,
          e'StartSel=\x01, StopSel=\x02, MaxWords=30, MinWords=12'
        )
      )
      order by rank desc, created_at desc, id
    )
    from (
      select message.*, thread.title,
        ts_rank(to_tsvector('pg_catalog.english', message.content), wanted) as rank
      from public.thread_messages as message
      join public.discussion_threads as thread on thread.id = message.thread_id
      where to_tsvector('english', message.content) @@ wanted
        and thread.course_id = course
        and message.deleted_at is null
      order by rank desc, message.created_at desc, message.id
      limit least(max, 100)
      offset least(after, 1000)
    ) as hits
  ), '[]');
end;
$$;
grant execute on function private.search_thread_messages(uuid, text, integer, integer)
to authenticated;
-- <<< discussions/search.sql

-- >>> discussions/threads.sql
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
-- <<< discussions/threads.sql

-- >>> identity/people.sql
-- A person as others see them beside what they have said or done: also when both share no course
-- any more. Null for nobody. Who calls it has checked that its caller may see what it is beside.
create or replace function private.person_json(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', id,
    'name', private.display_name(first_name, last_name),
    'avatarUrl', avatar_url
  )
  from public.users
  where id = person;
$$;
revoke execute on function private.person_json(uuid) from public;
grant execute on function private.person_json(uuid) to authenticated;

-- Those in a course whose first, last or whole name begins with `words`: staff first, then by name,
-- at most `max`. For its members; raises COURSE_NOT_FOUND for others.
create or replace function private.find_course_people(course uuid, words text, max integer)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  begins text := regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(private.person_json(id) order by is_student, first_name, last_name, id)
    from (
      select users.id, users.first_name, users.last_name, teaching.user_id is null as is_student
      from public.users
      left join public.course_instructors as teaching
        on teaching.user_id = users.id and teaching.course_id = course
      where (
        teaching.user_id is not null
        or exists (
          select 1 from public.enrollments
          where enrollments.user_id = users.id
            and enrollments.course_id = course
            and enrollments.status <> 'cancelled'
        )
      ) and (
        users.first_name ilike begins
        or users.last_name ilike begins
        or users.first_name || ' ' || users.last_name ilike begins
      )
      order by is_student, users.first_name, users.last_name, users.id
      limit least(max, 50)
    ) as people
  ), '[]');
end;
$$;
grant execute on function private.find_course_people(uuid, text, integer) to authenticated;
-- <<< identity/people.sql

CREATE POLICY "members of a course open threads in their own name" ON "discussion_threads" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (created_by = (select auth.uid()) and course_id in (select private.joined_course_ids()));

CREATE POLICY "staff of a course moderate its threads" ON "discussion_threads" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "members of a course write in its open threads in their own name" ON "thread_messages" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (sender_id = (select auth.uid()) and thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids())));

CREATE POLICY "senders edit their messages in open threads" ON "thread_messages" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (sender_id = (select auth.uid()) and deleted_at is null and thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids()))) WITH CHECK (sender_id = (select auth.uid()));

CREATE POLICY "users see their reactions" ON "thread_message_reactions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users react to what they can read and is still there" ON "thread_message_reactions" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.thread_messages as message where message.id = message_id and message.deleted_at is null and message.thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids()))));

CREATE POLICY "users take their reactions back" ON "thread_message_reactions" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "reporters see their reports, staff those of their courses" ON "thread_message_reports" AS PERMISSIVE FOR SELECT TO "authenticated" USING (reporter_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "members see what messages said before, staff also of deleted ones" ON "thread_message_revisions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select 1 from public.thread_messages as message join public.discussion_threads as thread on thread.id = message.thread_id where message.id = message_id and (message.deleted_at is null or thread.course_id in (select private.taught_course_ids()))));

CREATE POLICY "users see how far they have read" ON "thread_readers" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));
