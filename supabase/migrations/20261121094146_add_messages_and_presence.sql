set check_function_bodies = off;

CREATE TABLE "conversation_readers" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_number" integer DEFAULT 0 NOT NULL,
	"delivered_number" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "conversation_readers_once" PRIMARY KEY("conversation_id","user_id"),
	CONSTRAINT "conversation_readers_count_up" CHECK (read_number >= 0 and delivered_number >= 0)
);

ALTER TABLE "conversation_readers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "conversations" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"low_id" uuid,
	"high_id" uuid,
	"last_number" integer DEFAULT 0 NOT NULL,
	"last_message_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversations_once_per_pair" UNIQUE("low_id","high_id"),
	CONSTRAINT "conversations_name_the_lower_first" CHECK (low_id < high_id)
);

ALTER TABLE "conversations" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_message_settings" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"students_may_write" boolean DEFAULT true NOT NULL
);

ALTER TABLE "course_message_settings" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_blocks" (
	"blocker_id" uuid NOT NULL,
	"blocked_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_blocks_once" PRIMARY KEY("blocker_id","blocked_id")
);

ALTER TABLE "message_blocks" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_reports" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"message_id" uuid NOT NULL,
	"reporter_id" uuid,
	"reason" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"snapshot" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_reports_once_per_reporter" UNIQUE("message_id","reporter_id"),
	CONSTRAINT "message_reports_have_a_known_reason" CHECK (reason in ('spam', 'harassment', 'cheating', 'off_topic', 'other')),
	CONSTRAINT "message_reports_have_a_short_note" CHECK (char_length(note) <= 1000)
);

ALTER TABLE "message_reports" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"sends_receipts" boolean DEFAULT true NOT NULL,
	"shows_typing" boolean DEFAULT true NOT NULL
);

ALTER TABLE "message_settings" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."presence_crowds" (
	"topic" text PRIMARY KEY NOT NULL
);

ALTER TABLE "private"."presence_crowds" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."presence_leases" (
	"topic" text NOT NULL,
	"user_id" uuid NOT NULL,
	"status" text NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"online_at" timestamp with time zone NOT NULL,
	CONSTRAINT "presence_leases_once_per_person" PRIMARY KEY("topic","user_id"),
	CONSTRAINT "presence_leases_have_a_known_status" CHECK (status in ('online', 'away'))
);

ALTER TABLE "private"."presence_leases" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "presence_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"is_invisible" boolean DEFAULT false NOT NULL
);

ALTER TABLE "presence_settings" ENABLE ROW LEVEL SECURITY;

DROP INDEX "private"."check_in_attempts_newest_first";

DROP INDEX "workshop_registrations_of_student_newest_first";

DROP INDEX "discussion_threads_newest_first";

DROP INDEX "discussion_threads_as_listed";

DROP INDEX "thread_message_reports_newest_first";

DROP INDEX "thread_messages_newest_first";

DROP INDEX "thread_messages_by_sender";

DROP INDEX "messages_sent_newest_first";

DROP INDEX "messages_received_newest_first";

DROP INDEX "student_presence_by_course";

DROP INDEX "student_presence_by_workshop";

ALTER TABLE "messages" ADD COLUMN "conversation_id" uuid;

ALTER TABLE "messages" ADD COLUMN "number" integer DEFAULT 0 NOT NULL;

ALTER TABLE "conversation_readers" ADD CONSTRAINT "conversation_readers_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "conversation_readers" ADD CONSTRAINT "conversation_readers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "conversations" ADD CONSTRAINT "conversations_low_id_users_id_fk" FOREIGN KEY ("low_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "conversations" ADD CONSTRAINT "conversations_high_id_users_id_fk" FOREIGN KEY ("high_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_message_settings" ADD CONSTRAINT "course_message_settings_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_blocks" ADD CONSTRAINT "message_blocks_blocker_id_users_id_fk" FOREIGN KEY ("blocker_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_blocks" ADD CONSTRAINT "message_blocks_blocked_id_users_id_fk" FOREIGN KEY ("blocked_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_reporter_id_users_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "message_settings" ADD CONSTRAINT "message_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."presence_leases" ADD CONSTRAINT "presence_leases_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "presence_settings" ADD CONSTRAINT "presence_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "conversation_readers_by_user" ON "conversation_readers" USING btree ("user_id");

CREATE INDEX "conversations_of_low" ON "conversations" USING btree ("low_id","last_message_at" DESC NULLS FIRST);

CREATE INDEX "conversations_of_high" ON "conversations" USING btree ("high_id","last_message_at" DESC NULLS FIRST);

CREATE INDEX "message_blocks_by_blocked" ON "message_blocks" USING btree ("blocked_id");

CREATE INDEX "presence_leases_by_age" ON "private"."presence_leases" USING btree ("seen_at");

ALTER TABLE "messages" ADD CONSTRAINT "messages_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;

-- Direct messages that are there already get their conversations; what was read stays read.
insert into conversations (low_id, high_id)
select distinct least(sender_id, recipient_id), greatest(sender_id, recipient_id)
from messages
where sender_id is not null and recipient_id is not null;

update messages
set conversation_id = counted.conversation_id, number = counted.number
from (
  select messages.id, conversations.id as conversation_id,
    row_number() over (
      partition by conversations.id order by messages.created_at, messages.id
    ) as number
  from messages
  join conversations
    on conversations.low_id = least(sender_id, recipient_id)
    and conversations.high_id = greatest(sender_id, recipient_id)
) as counted
where counted.id = messages.id;

update conversations
set last_number = newest.number, last_message_at = newest.created_at
from (
  select distinct on (conversation_id) conversation_id, number, created_at
  from messages
  where conversation_id is not null
  order by conversation_id, number desc
) as newest
where newest.conversation_id = conversations.id;

insert into conversation_readers (conversation_id, user_id, read_number, delivered_number)
select conversation_id, person, max(number), max(number)
from (
  select conversation_id, sender_id as person, number from messages
  union all
  select conversation_id, recipient_id, number from messages where read_at is not null
) as read
where conversation_id is not null and person is not null
group by conversation_id, person;

CREATE UNIQUE INDEX "messages_in_order" ON "messages" USING btree ("conversation_id","number");

CREATE INDEX "check_in_attempts_newest_first" ON "private"."check_in_attempts" USING btree ("workshop_id","user_id","attempted_at" DESC NULLS FIRST);

CREATE INDEX "workshop_registrations_of_student_newest_first" ON "workshop_registrations" USING btree ("user_id","registered_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "discussion_threads_newest_first" ON "discussion_threads" USING btree ("course_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "discussion_threads_as_listed" ON "discussion_threads" USING btree ("course_id","is_pinned" DESC NULLS FIRST,"last_message_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "thread_message_reports_newest_first" ON "thread_message_reports" USING btree ("course_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "thread_messages_newest_first" ON "thread_messages" USING btree ("thread_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "thread_messages_by_sender" ON "thread_messages" USING btree ("sender_id","created_at" DESC NULLS FIRST);

CREATE INDEX "messages_sent_newest_first" ON "messages" USING btree ("sender_id","recipient_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "messages_received_newest_first" ON "messages" USING btree ("recipient_id","sender_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);

CREATE INDEX "student_presence_by_course" ON "student_presence" USING btree ("course_id","last_seen_at" DESC NULLS FIRST) WHERE status <> 'offline';

CREATE INDEX "student_presence_by_workshop" ON "student_presence" USING btree ("workshop_id","last_seen_at" DESC NULLS FIRST) WHERE status <> 'offline';

-- >>> discussions/json.sql
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
-- <<< discussions/json.sql

-- >>> identity/people.sql
-- A person as others see them beside what they have said or done: also when both share no course
-- any more. Null for nobody. Who calls it has checked that its caller may see what it is beside.
-- In PL/pgSQL, as what calls it for each row: a function in SQL that isn't inlined is planned anew
-- each time.
create or replace function private.person_json(person uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', id,
      'name', private.display_name(first_name, last_name),
      'avatarUrl', avatar_url
    )
    from public.users
    where id = person
  );
end;
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
    perform cron.schedule('tend-workshops', '* * * * *', 'select private.tend_workshops()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
  end if;
end;
$$;
-- <<< jobs.sql

-- >>> messages/rights.sql
grant select on public.conversations, public.conversation_readers, public.message_reports
to authenticated;
grant insert (id, sender_id, recipient_id, content) on public.messages to authenticated;
grant select, insert (blocker_id, blocked_id), delete on public.message_blocks to authenticated;
grant select, insert (user_id, sends_receipts, shows_typing), update (sends_receipts, shows_typing)
on public.message_settings to authenticated;
grant select, insert (course_id, students_may_write), update (students_may_write)
on public.course_message_settings to authenticated;

-- The courses someone takes part in, and whether they belong to the staff.
create or replace function private.memberships(person uuid)
returns table (course_id uuid, is_staff boolean)
language sql stable security definer set search_path = ''
as $$
  select course_id, true from public.course_instructors where user_id = person
  union all
  select course_id, false from public.enrollments
  where user_id = person and status <> 'cancelled';
$$;

-- Whether one person may write another: they share a course, where one of them belongs to the staff
-- or students may write each other; or one is an administrator; and none has blocked the other.
create or replace function private.can_message(sender uuid, recipient uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select (
    select count(*) = 2 from public.users where id in (sender, recipient) and is_active
  ) and not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((sender, recipient), (recipient, sender))
  ) and (
    exists (select 1 from public.users where id in (sender, recipient) and role = 'admin')
    or exists (
      select 1
      from private.memberships(sender) as own
      join private.memberships(recipient) as theirs using (course_id)
      left join public.course_message_settings as setting using (course_id)
      where own.is_staff or theirs.is_staff or coalesce(setting.students_may_write, true)
    )
  );
$$;

grant execute on function private.can_message(uuid, uuid) to authenticated;

-- Whether two people see of each other what they have read: both have to want it.
create or replace function private.shares_receipts(one uuid, other uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_settings
    where user_id in (one, other) and not sends_receipts
  );
$$;

-- Those whom the caller may write, whose name begins with `words`: at most `max`, by name.
create or replace function private.find_people_to_message(words text, max integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.person_json(id) order by first_name, last_name, id), '[]')
  from (
    select distinct person.id, person.first_name, person.last_name
    from private.memberships(auth.uid()) as own
    join lateral (
      select user_id from public.course_instructors where course_id = own.course_id
      union all
      select user_id from public.enrollments
      where course_id = own.course_id and status <> 'cancelled'
    ) as theirs on true
    join public.users as person on person.id = theirs.user_id
    where person.id <> auth.uid()
      and (
        person.first_name ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
        or person.last_name ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
      )
      and private.can_message(auth.uid(), person.id)
    order by person.first_name, person.last_name, person.id
    limit least(max, 50)
  ) as people;
$$;
grant execute on function private.find_people_to_message(text, integer) to authenticated;
-- <<< messages/rights.sql

-- >>> messages/write.sql
-- A direct message as the API and the events show it.
create or replace function private.direct_message_json(message public.messages) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', message.id,
    'number', message.number,
    'senderId', message.sender_id,
    'recipientId', message.recipient_id,
    'content', message.content,
    'createdAt', private.iso_time(message.created_at)
  );
$$;
grant execute on function private.direct_message_json(public.messages) to authenticated;

-- A conversation as one of the two sees it. `theirReadNumber` and `theirDeliveredNumber` are null
-- where one of them wants no receipts.
create or replace function private.conversation_json(
  conversation public.conversations,
  viewer uuid
)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', conversation.id,
    'with', private.person_json(other.id),
    'lastNumber', conversation.last_number,
    'lastMessageAt', private.iso_time(conversation.last_message_at),
    'lastMessage', (
      select jsonb_build_object(
        'number', number, 'senderId', sender_id, 'excerpt', private.excerpt(content)
      )
      from public.messages
      where conversation_id = conversation.id and number = conversation.last_number
    ),
    'readNumber', coalesce(mine.read_number, 0),
    'deliveredNumber', coalesce(mine.delivered_number, 0),
    'unreadCount', conversation.last_number - coalesce(mine.read_number, 0),
    'theirReadNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.read_number, 0) end,
    'theirDeliveredNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.delivered_number, 0) end
  )
  from (
    select case when conversation.low_id = viewer then conversation.high_id
      else conversation.low_id end as id
  ) as other
  left join public.conversation_readers as mine
    on mine.conversation_id = conversation.id and mine.user_id = viewer
  left join public.conversation_readers as theirs
    on theirs.conversation_id = conversation.id and theirs.user_id = other.id;
$$;
grant execute on function private.conversation_json(public.conversations, uuid) to authenticated;

-- Numbers a message, under the lock of its conversation. Sent again, with the same id by the same
-- sender, it is left out: the first one stands. Services may write history.
create or replace function private.accept_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  low uuid := least(new.sender_id, new.recipient_id);
  high uuid := greatest(new.sender_id, new.recipient_id);
  free_at timestamptz;
begin
  if not private.is_service() and new.sender_id is distinct from auth.uid() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if exists (
    select 1 from public.messages
    where id = new.id and sender_id = new.sender_id and recipient_id = new.recipient_id
  ) then
    return null;
  end if;
  if not private.is_service() then
    if not private.can_message(new.sender_id, new.recipient_id) then
      raise exception 'CONVERSATION_CLOSED' using errcode = '42501';
    end if;
    select created_at + interval '1 minute' into free_at
    from public.messages
    where sender_id = new.sender_id and created_at > clock_timestamp() - interval '1 minute'
    order by created_at desc
    offset 29 limit 1;
    if found then
      raise exception 'TOO_MANY_REQUESTS' using errcode = 'P0001',
        detail = ceil(extract(epoch from free_at - clock_timestamp())) || ' s';
    end if;
  end if;

  insert into public.conversations (low_id, high_id) values (low, high)
  on conflict (low_id, high_id) do nothing;
  select id into new.conversation_id from public.conversations
  where low_id = low and high_id = high
  for no key update;
  if exists (select 1 from public.messages where id = new.id and sender_id = new.sender_id) then
    return null;
  end if;
  if not private.is_service() then
    new.created_at := clock_timestamp();
  end if;
  update public.conversations
  set last_number = last_number + 1, last_message_at = new.created_at
  where id = new.conversation_id
  returning last_number into new.number;
  return new;
end;
$$;

create or replace trigger accept_message
before insert on public.messages
for each row execute function private.accept_message();

-- Moves how far someone is in a conversation; the caller has it locked. `read` may go back where
-- `may_go_back`. Gives by how much their unread messages changed.
create or replace function private.move_reader(
  conversation public.conversations,
  person uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  before integer;
  after integer;
begin
  select read_number into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = person;
  insert into public.conversation_readers as earlier
    (conversation_id, user_id, read_number, delivered_number)
  values (conversation.id, person, coalesce(read, 0), greatest(read, delivered, 0))
  on conflict (conversation_id, user_id) do update
  set
    read_number = case
      when read is null then earlier.read_number
      when may_go_back then read
      else greatest(earlier.read_number, read)
    end,
    delivered_number = greatest(earlier.delivered_number, read, delivered)
  returning read_number into after;
  return coalesce(before, 0) - after;
end;
$$;

-- Tells someone's devices how a conversation is now.
create or replace function private.tell_conversation(
  conversation public.conversations,
  person uuid,
  unread_delta integer,
  message jsonb
)
returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || person,
    case when message is null then 'conversation.changed' else 'direct_message.created' end,
    jsonb_build_object(
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', unread_delta
    ) || case when message is null then '{}' else jsonb_build_object('message', message) end
  )
  where person is not null;
$$;

-- A new message: told to the devices of both; its sender has read so far. The recipient is notified
-- once until they have read.
create or replace function private.after_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  sender_delta integer;
  told jsonb := private.direct_message_json(new);
begin
  select * into conversation from public.conversations where id = new.conversation_id;
  sender_delta := private.move_reader(conversation, new.sender_id, new.number, new.number, false);
  if new.read_at is not null then
    perform private.move_reader(conversation, new.recipient_id, new.number, new.number, false);
  end if;
  if current_setting('homeroom.quiet', true) = 'on' then
    return null;
  end if;
  -- The message itself was one more to read, and isn't for who wrote it.
  perform private.tell_conversation(conversation, new.sender_id, sender_delta + 1, told);
  perform private.tell_conversation(conversation, new.recipient_id, 1, told);
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', new.recipient_id,
    'type', 'message',
    'title', format('New messages from %s', private.person_json(new.sender_id) ->> 'name'),
    'message', private.excerpt(new.content),
    'related_entity_type', 'conversation',
    'related_entity_id', conversation.id,
    'dedupe_key', format('conversation %s after %s', conversation.id, coalesce((
      select read_number from public.conversation_readers
      where conversation_id = conversation.id and user_id = new.recipient_id
    ), 0)),
    'data', jsonb_build_object('sender_id', new.sender_id, 'message_number', new.number)
  )));
  return null;
end;
$$;

create or replace trigger after_message
after insert on public.messages
for each row execute function private.after_message();

-- The caller's conversation with someone, locked; raises CONVERSATION_NOT_FOUND.
create or replace function private.lock_conversation(other uuid) returns public.conversations
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
begin
  select * into conversation from public.conversations
  where low_id = least(auth.uid(), other) and high_id = greatest(auth.uid(), other)
  for no key update;
  if not found then
    raise exception 'CONVERSATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  return conversation;
end;
$$;

-- How far the caller is in the conversation with someone: `read` up to a number (null: unchanged),
-- `delivered` to one of their devices; back only where `may_go_back`. Told to their own devices
-- and, where both want receipts, to the other's. Gives the conversation.
create or replace function private.mark_conversation(
  other uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations := private.lock_conversation(other);
  me uuid := auth.uid();
  before public.conversation_readers;
  after public.conversation_readers;
  delta integer;
begin
  select * into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  delta := private.move_reader(
    conversation, me,
    case when read is not null then least(read, conversation.last_number) end,
    case when delivered is not null then least(delivered, conversation.last_number) end,
    may_go_back
  );
  select * into after from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  if after is distinct from before then
    if delta <> 0 then
      perform private.tell_conversation(conversation, me, delta, null);
    end if;
    if private.shares_receipts(me, other) then
      update public.messages
      set read_at = clock_timestamp()
      where conversation_id = conversation.id
        and recipient_id = me
        and read_at is null
        and number <= after.read_number;
      perform private.tell_conversation(conversation, other, 0, null);
    end if;
  end if;
  if read is not null and not may_go_back then
    update public.notifications
    set read_at = clock_timestamp()
    where user_id = me
      and read_at is null
      and related_entity_type = 'conversation'
      and related_entity_id = conversation.id
      and coalesce((data ->> 'message_number')::integer, 0) <= after.read_number;
  end if;
  return private.conversation_json(conversation, me);
end;
$$;
grant execute on function private.mark_conversation(uuid, integer, integer, boolean)
to authenticated;

-- Reports a message that the caller has received, as it is, to the administrators. Gives the
-- report's id; the first one stands.
create or replace function private.report_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.messages;
  report uuid;
begin
  select * into target from public.messages
  where id = message and recipient_id = auth.uid();
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.message_reports (message_id, reporter_id, reason, note, snapshot)
  values (
    message, auth.uid(), report_message.reason, report_message.note,
    private.direct_message_json(target)
      || jsonb_build_object('sender', private.person_json(target.sender_id))
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', id,
      'type', 'system',
      'level', 'warning',
      'title', 'A direct message was reported',
      'message', private.excerpt(target.content),
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object('report_id', report, 'sender_id', target.sender_id)
    ))
    from public.users
    where role = 'admin' and is_active
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_message(uuid, text, text) to authenticated;
-- <<< messages/write.sql

-- >>> presence/presence.sql
grant select, insert (user_id, is_invisible), update (is_invisible) on public.presence_settings
to authenticated;

-- Tells that someone is somewhere, or isn't any more: each of up to a hundred by name; beyond it,
-- only the number, once a second, by `tell_crowds`. The staff of a workshop is told of everybody.
create or replace function private.tell_presence(place text, person uuid, status text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if (select count(*) from private.presence_leases where topic = place) > 100 then
    insert into private.presence_crowds (topic) values (place) on conflict (topic) do nothing;
  else
    perform private.publish(
      place,
      'presence.changed',
      jsonb_build_object('person', private.person_json(person), 'status', status)
    );
  end if;
  if place like 'workshop:%' then
    perform private.publish(
      place || ':staff',
      'presence.changed',
      jsonb_build_object('userId', person, 'status', status)
    );
  end if;
end;
$$;

-- Tells how many there are where there are many. Run each second.
create or replace function private.tell_crowds() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  crowds text[];
begin
  with told as (delete from private.presence_crowds returning topic)
  select array_agg(topic) into crowds from told;
  perform private.publish(
    crowd,
    'presence.counted',
    jsonb_build_object(
      'onlineCount', (select count(*) from private.presence_leases where topic = crowd)
    )
  )
  from unnest(crowds) as crowd;
  return coalesce(cardinality(crowds), 0);
end;
$$;

-- Keeps the row that outlives a visit: the last status, and when someone was last seen.
create or replace function private.keep_last_seen(place text, person uuid, status text) returns void
language sql security definer set search_path = ''
as $$
  insert into public.student_presence (user_id, course_id, workshop_id, status, last_seen_at)
  select
    person,
    case split_part(place, ':', 1) when 'course' then split_part(place, ':', 2)::uuid end,
    case split_part(place, ':', 1) when 'workshop' then split_part(place, ':', 2)::uuid end,
    status,
    clock_timestamp()
  where split_part(place, ':', 1) in ('course', 'workshop')
  on conflict (user_id, course_id, workshop_id) do update
  set
    status = excluded.status,
    last_seen_at = case
      when excluded.status = 'offline' then student_presence.last_seen_at
      else excluded.last_seen_at
    end;
$$;

-- A tab of the caller's says that they are somewhere: 'online' in front, 'away' behind or idle,
-- 'leaving' when it closes, which counts in ten seconds unless another tab or the next page says
-- otherwise. For readers of the topic; who is invisible is nowhere.
create or replace function private.keep_presence(place text, tab_status text) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  moment timestamptz := clock_timestamp();
  before text;
  after text;
begin
  if not private.can_read_topic(place, me) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  if tab_status = 'leaving' then
    update private.presence_leases
    set seen_at = moment - interval '35 seconds'
    where topic = place and user_id = me;
    return;
  end if;
  if exists (select 1 from public.presence_settings where user_id = me and is_invisible) then
    perform private.end_presence(array[place], array[me]);
    return;
  end if;
  select status into before from private.presence_leases where topic = place and user_id = me;
  insert into private.presence_leases as lease (topic, user_id, status, seen_at, online_at)
  values (place, me, tab_status, moment, moment)
  on conflict (topic, user_id) do update
  set
    seen_at = excluded.seen_at,
    online_at = case tab_status when 'online' then excluded.online_at else lease.online_at end,
    status = case
      when tab_status = 'away' and lease.online_at < moment - interval '40 seconds' then 'away'
      when tab_status = 'online' then 'online'
      else lease.status
    end
  returning status into after;
  if after is distinct from before then
    perform private.tell_presence(place, me, after);
  end if;
  perform private.keep_last_seen(place, me, after);
  if place like 'workshop:%' then
    perform private.seen_in_workshop(split_part(place, ':', 2)::uuid, me, moment);
  end if;
end;
$$;
grant execute on function private.keep_presence(text, text) to authenticated;

-- Ends leases: `places` and `people` are pairs.
create or replace function private.end_presence(places text[], people uuid[]) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  gone record;
  ended integer := 0;
begin
  for gone in
    delete from private.presence_leases
    using unnest(places, people) as leaving (place, person)
    where topic = place and user_id = person
    returning topic, user_id
  loop
    perform private.tell_presence(gone.topic, gone.user_id, 'offline');
    perform private.keep_last_seen(gone.topic, gone.user_id, 'offline');
    ended := ended + 1;
  end loop;
  return ended;
end;
$$;

-- Ends the presence of those whose lease ran out, such as a killed browser's: within a minute, since
-- it is run every ten seconds. Gives how many.
create or replace function private.end_ghost_presence() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  places text[];
  people uuid[];
begin
  select array_agg(topic), array_agg(user_id) into places, people
  from (
    select topic, user_id from private.presence_leases
    where seen_at < clock_timestamp() - interval '45 seconds'
    for update skip locked
  ) as ghosts;
  update public.student_presence
  set status = 'offline'
  where id in (
    select id from public.student_presence
    where status <> 'offline' and last_seen_at < now() - interval '90 seconds'
    for update skip locked
  );
  return private.end_presence(places, people);
end;
$$;

-- Who is somewhere, for its readers: `{ onlineCount, people }`; `people` is null beyond a hundred.
create or replace function private.presence_of(place text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  total integer;
begin
  if not private.can_read_topic(place, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  select count(*) into total from private.presence_leases where topic = place;
  return jsonb_build_object(
    'onlineCount', total,
    'people', case when total <= 100 then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'person', private.person_json(user_id), 'status', status
      )), '[]')
      from private.presence_leases
      where topic = place
    ) end
  );
end;
$$;
grant execute on function private.presence_of(text) to authenticated;
-- <<< presence/presence.sql

CREATE POLICY "users write in their own name" ON "messages" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (sender_id = (select auth.uid()));

CREATE POLICY "users see how far they have read" ON "conversation_readers" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "the two see their conversation" ON "conversations" AS PERMISSIVE FOR SELECT TO "authenticated" USING (low_id = (select auth.uid()) or high_id = (select auth.uid()));

CREATE POLICY "members see the switch of their course" ON "course_message_settings" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "staff set the switch" ON "course_message_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "users keep their own blocks" ON "message_blocks" AS PERMISSIVE FOR ALL TO "authenticated" USING (blocker_id = (select auth.uid())) WITH CHECK (blocker_id = (select auth.uid()));

CREATE POLICY "reporters see their reports, administrators all" ON "message_reports" AS PERMISSIVE FOR SELECT TO "authenticated" USING (reporter_id = (select auth.uid()) or (select private.is_admin()));

CREATE POLICY "users keep their own message settings" ON "message_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "users decide whether they are seen" ON "presence_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));
