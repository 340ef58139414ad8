set check_function_bodies = off;

CREATE TABLE "attendance_log" (
	"workshop_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"user_id" uuid NOT NULL,
	"action" text NOT NULL,
	"method" text NOT NULL,
	"happened_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"actor_id" uuid NOT NULL,
	"session_id" text,
	"reason" text DEFAULT '' NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "attendance_log_in_order" PRIMARY KEY("workshop_id","number"),
	CONSTRAINT "attendance_log_has_short_reasons" CHECK (char_length(reason) <= 500)
);

ALTER TABLE "attendance_log" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."check_in_attempts" (
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"attempted_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "private"."check_in_attempts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "workshop_presence" (
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seen" "tstzmultirange" NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "workshop_presence_once" PRIMARY KEY("workshop_id","user_id")
);

ALTER TABLE "workshop_presence" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."workshop_secrets" (
	"workshop_id" uuid PRIMARY KEY NOT NULL,
	"secret" "bytea" NOT NULL
);

ALTER TABLE "private"."workshop_secrets" ENABLE ROW LEVEL SECURITY;

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

ALTER TABLE "workshop_registrations" ADD COLUMN "method" text;

ALTER TABLE "workshop_registrations" ADD COLUMN "is_late" boolean DEFAULT false NOT NULL;

ALTER TABLE "workshop_registrations" ADD COLUMN "reminders_sent" smallint DEFAULT 0 NOT NULL;

ALTER TABLE "workshops" ADD COLUMN "is_open" boolean DEFAULT false NOT NULL;

ALTER TABLE "workshops" ADD COLUMN "check_in_opens_minutes" integer DEFAULT 15 NOT NULL;

ALTER TABLE "workshops" ADD COLUMN "late_after_minutes" integer DEFAULT 10 NOT NULL;

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

ALTER TABLE "attendance_log" ADD CONSTRAINT "attendance_log_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;

ALTER TABLE "private"."check_in_attempts" ADD CONSTRAINT "check_in_attempts_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."check_in_attempts" ADD CONSTRAINT "check_in_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_presence" ADD CONSTRAINT "workshop_presence_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_presence" ADD CONSTRAINT "workshop_presence_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."workshop_secrets" ADD CONSTRAINT "workshop_secrets_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_reporter_id_users_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_revisions" ADD CONSTRAINT "thread_message_revisions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "check_in_attempts_newest_first" ON "private"."check_in_attempts" USING btree ("workshop_id","user_id","attempted_at" DESC NULLS LAST);

CREATE INDEX "workshop_presence_by_user" ON "workshop_presence" USING btree ("user_id");

CREATE INDEX "thread_message_reactions_by_user" ON "thread_message_reactions" USING btree ("user_id");

CREATE INDEX "thread_message_reports_newest_first" ON "thread_message_reports" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "thread_message_revisions_in_order" ON "thread_message_revisions" USING btree ("message_id","id");

CREATE INDEX "thread_readers_by_user" ON "thread_readers" USING btree ("user_id");

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_answer_id_thread_messages_id_fk" FOREIGN KEY ("answer_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_last_sender_id_users_id_fk" FOREIGN KEY ("last_sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_parent_id_thread_messages_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_endorsed_by_users_id_fk" FOREIGN KEY ("endorsed_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_deleted_by_users_id_fk" FOREIGN KEY ("deleted_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "workshops_open_by_start" ON "workshops" USING btree ("starts_at","id") WHERE is_open;

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

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_have_a_web_address" CHECK (meeting_url ~ '^https://');

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_open_within_a_day" CHECK (check_in_opens_minutes between 0 and 1440 and late_after_minutes between 0 and 1440);

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_slow_down_to_an_hour" CHECK (slow_mode_seconds between 0 and 3600);

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_count_up" CHECK (last_number >= 0);

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_say_something" CHECK (char_length(content) <= 20000 and (content ~ '\S' or deleted_at is not null));

-- >>> attendance/check-in.sql
grant select on public.attendance_log, public.workshop_presence to authenticated;

-- HMAC-SHA-256 (RFC 2104), of keys of at most 64 bytes: pgcrypto isn't everywhere in one schema.
create or replace function private.hmac_sha256(key bytea, message bytea) returns bytea
language plpgsql immutable
as $$
declare
  padded bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
  inner_key bytea := padded;
  outer_key bytea := padded;
begin
  for at in 0 .. 63 loop
    inner_key := set_byte(inner_key, at, get_byte(padded, at) # 54);
    outer_key := set_byte(outer_key, at, get_byte(padded, at) # 92);
  end loop;
  return sha256(outer_key || sha256(inner_key || message));
end;
$$;

-- A workshop's six digits at a moment: others every 30 seconds (RFC 4226's truncation, on SHA-256).
create or replace function private.workshop_code(workshop uuid, step bigint) returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  mac bytea := private.hmac_sha256(
    (select secret from private.workshop_secrets where workshop_id = workshop),
    int8send(step)
  );
  at integer := get_byte(mac, 31) & 15;
  number bigint := ((get_byte(mac, at) & 127)::bigint << 24)
    | (get_byte(mac, at + 1) << 16) | (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3);
begin
  return lpad((number % 1000000)::text, 6, '0');
end;
$$;

-- The 30 seconds that a moment is in.
create or replace function private.code_step(moment timestamptz) returns bigint
language sql immutable
as $$
  select floor(extract(epoch from moment) / 30)::bigint;
$$;

-- Each workshop has a secret of its own: 244 random bits.
create or replace function private.make_workshop_secret() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.workshop_secrets (workshop_id, secret)
  values (new.id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  return null;
end;
$$;

create or replace trigger make_workshop_secret
after insert on public.workshops
for each row execute function private.make_workshop_secret();

insert into private.workshop_secrets (workshop_id, secret)
select id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) from public.workshops
on conflict (workshop_id) do nothing;

-- Whether one can check in at a moment.
create or replace function private.is_check_in_open(workshop public.workshops, moment timestamptz)
returns boolean
language sql immutable
as $$
  select workshop.status <> 'cancelled'
    and moment >= workshop.starts_at - make_interval(mins => workshop.check_in_opens_minutes)
    and moment < workshop.ends_at;
$$;

-- The code to show now, and until when, for the workshop's staff, while one can check in: raises
-- CHECK_IN_CLOSED otherwise.
create or replace function private.current_workshop_code(workshop uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  target public.workshops := private.staffed_workshop(workshop);
begin
  if not private.is_check_in_open(target, moment) then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  return jsonb_build_object(
    'code', private.workshop_code(workshop, private.code_step(moment)),
    'validUntil', private.iso_time(to_timestamp((private.code_step(moment) + 1) * 30)),
    'now', private.iso_time(moment)
  );
end;
$$;
grant execute on function private.current_workshop_code(uuid) to authenticated;

-- A workshop whose staff the caller belongs to; raises WORKSHOP_NOT_FOUND otherwise.
create or replace function private.staffed_workshop(workshop uuid) returns public.workshops
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  select * into target from public.workshops
  where id = workshop and private.is_course_staff(course_id, auth.uid());
  if not found then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- What a row of the log is hashed over: a JSON array as Postgres writes it, so that no text can
-- pass for another field.
create or replace function private.attendance_hash(entry public.attendance_log) returns text
language sql stable set search_path = ''
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(
      entry.previous_hash, entry.workshop_id, entry.number, entry.user_id, entry.action,
      entry.method, private.iso_time(entry.happened_at), private.iso_time(entry.recorded_at),
      entry.actor_id, coalesce(entry.session_id, ''), entry.reason
    )::text,
    'utf8'
  )), 'hex');
$$;

-- Writes the next entry of a workshop's log. The caller has the workshop locked.
create or replace function private.log_attendance(
  workshop uuid,
  person uuid,
  action text,
  method text,
  happened_at timestamptz,
  reason text
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  entry public.attendance_log;
begin
  select number, hash into entry.number, entry.previous_hash
  from public.attendance_log
  where workshop_id = workshop
  order by number desc
  limit 1;
  entry.workshop_id := workshop;
  entry.number := coalesce(entry.number, 0) + 1;
  entry.previous_hash := coalesce(entry.previous_hash, '');
  entry.user_id := person;
  entry.action := log_attendance.action;
  entry.method := log_attendance.method;
  entry.happened_at := log_attendance.happened_at;
  entry.recorded_at := clock_timestamp();
  entry.actor_id := auth.uid();
  entry.session_id := left(auth.jwt() ->> 'session_id', 100);
  entry.reason := log_attendance.reason;
  entry.hash := private.attendance_hash(entry);
  insert into public.attendance_log values (entry.*);
end;
$$;

-- The log is only ever added to, by anybody.
create or replace function private.keep_attendance_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception 'The attendance log is never changed' using errcode = '55000';
end;
$$;

create or replace trigger keep_attendance_log
before update or delete on public.attendance_log
for each row execute function private.keep_attendance_log();

create or replace trigger keep_attendance_log_whole
before truncate on public.attendance_log
for each statement execute function private.keep_attendance_log();
revoke insert, update, delete on public.attendance_log from service_role;

-- Checks someone in, and logs it; checked in already, it stays so. The caller of this has the
-- workshop locked, and has decided that it may be.
create or replace function private.check_in(
  workshop public.workshops,
  person uuid,
  method text,
  happened_at timestamptz
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  select * into registration from public.workshop_registrations
  where workshop_id = workshop.id and user_id = person;
  if registration.status is distinct from 'checked_in' then
    insert into public.workshop_registrations
      (workshop_id, user_id, status, checked_in_at, method, is_late)
    values (
      workshop.id, person, 'checked_in', check_in.happened_at, check_in.method,
      check_in.happened_at > workshop.starts_at + make_interval(mins => workshop.late_after_minutes)
    )
    on conflict (workshop_id, user_id) do update
    set status = excluded.status, checked_in_at = excluded.checked_in_at,
      method = excluded.method, is_late = excluded.is_late
    returning * into registration;
    perform private.log_attendance(
      workshop.id, person, 'checked_in', check_in.method, check_in.happened_at, ''
    );
  end if;
  return private.registration_json(registration);
end;
$$;

-- An instructor sees someone who is there. Who has no place walked in. For the workshop's staff.
create or replace function private.check_in_by_hand(workshop uuid, person uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.staffed_workshop(workshop);
  is_registered boolean;
begin
  select * into target from public.workshops where id = workshop for no key update;
  if target.status = 'cancelled'
    or clock_timestamp() < target.starts_at - make_interval(mins => target.check_in_opens_minutes)
  then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  if not (target.is_open or private.is_course_member(target.course_id, person)) or not exists (
    select 1 from public.users where id = person and is_active
  ) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  is_registered := exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = person and status in ('registered', 'checked_in')
  );
  return private.check_in(
    target, person, case when is_registered then 'hand' else 'walk_in' end, clock_timestamp()
  );
end;
$$;
grant execute on function private.check_in_by_hand(uuid, uuid) to authenticated;

-- Takes a check-in back, for a reason. Who had a place has it again. For the workshop's staff.
create or replace function private.undo_check_in(workshop uuid, person uuid, reason text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
  how text;
begin
  perform private.staffed_workshop(workshop);
  perform from public.workshops where id = workshop for no key update;
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = person;
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    how := registration.method;
    update public.workshop_registrations
    set status = case when how = 'walk_in' then 'cancelled' else 'registered' end,
      checked_in_at = null, method = null, is_late = false
    where id = registration.id
    returning * into registration;
    perform private.log_attendance(
      workshop, person, 'undone', coalesce(how, 'hand'), clock_timestamp(), undo_check_in.reason
    );
  end if;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.undo_check_in(uuid, uuid, text) to authenticated;

-- The caller checks in with the code that they saw at a moment: now, or when the network was away.
-- The code of that moment has to be right, one step before or after it too; the moment has to lie
-- in the workshop's window and, so that nobody collects codes, the call within a day of its end.
-- Five wrong codes in ten minutes are all that anybody has. Gives `{ registration }` or
-- `{ refusal, retryAfterSeconds }`: raising would undo the count of what was wrong.
create or replace function private.check_in_by_code(workshop uuid, code text, seen_at timestamptz)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  moment timestamptz := clock_timestamp();
  step bigint := private.code_step(seen_at);
  wrong integer;
  first_wrong timestamptz;
begin
  if exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status = 'checked_in'
  ) then
    return jsonb_build_object(
      'registration', private.check_in(target, auth.uid(), 'code', seen_at)
    );
  end if;
  if not exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status in ('registered', 'waitlisted')
  ) then
    return jsonb_build_object('refusal', 'REGISTRATION_NOT_FOUND');
  end if;
  if not private.is_check_in_open(target, seen_at)
    or seen_at > moment + interval '1 minute'
    or moment > target.ends_at + interval '1 day'
  then
    return jsonb_build_object('refusal', 'CHECK_IN_CLOSED');
  end if;
  select count(*), min(attempted_at) into wrong, first_wrong
  from private.check_in_attempts
  where workshop_id = workshop
    and user_id = auth.uid()
    and attempted_at > moment - interval '10 minutes';
  if wrong >= 5 then
    return jsonb_build_object(
      'refusal', 'TOO_MANY_REQUESTS',
      'retryAfterSeconds',
      ceil(extract(epoch from first_wrong + interval '10 minutes' - moment))
    );
  end if;
  if not exists (
    select 1 from generate_series(step - 1, step + 1) as near
    where private.workshop_code(workshop, near) = code
  ) then
    insert into private.check_in_attempts (workshop_id, user_id, attempted_at)
    values (workshop, auth.uid(), moment);
    return jsonb_build_object('refusal', 'CODE_WRONG');
  end if;
  return jsonb_build_object('registration', private.check_in(target, auth.uid(), 'code', seen_at));
end;
$$;
grant execute on function private.check_in_by_code(uuid, text, timestamptz) to authenticated;

-- Someone is there, as a device of theirs says: time since their last sign of life counts when it
-- was at most 90 seconds ago. Two devices at once are one interval, and so is a reconnect.
create or replace function private.seen_in_workshop(
  workshop uuid,
  person uuid,
  moment timestamptz
)
returns void
language sql security definer set search_path = ''
as $$
  insert into public.workshop_presence as earlier (workshop_id, user_id, seen, last_seen_at)
  select id, person, '{}', moment
  from public.workshops
  where id = workshop
    and moment between starts_at - make_interval(mins => check_in_opens_minutes) and ends_at
  on conflict (workshop_id, user_id) do update
  set
    seen = case
      when moment - earlier.last_seen_at between interval '0' and interval '90 seconds'
      then earlier.seen + tstzmultirange(tstzrange(earlier.last_seen_at, moment, '[]'))
      else earlier.seen
    end,
    last_seen_at = greatest(earlier.last_seen_at, moment);
$$;
-- <<< attendance/check-in.sql

-- >>> attendance/export.sql
-- A field of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is shown as
-- text, by an apostrophe, unless it is hashed.
create or replace function private.csv_field(field text, is_hashed boolean) returns text
language sql immutable
as $$
  select '"' || replace(
    case when not is_hashed and field ~ '^[=+\-@\t\r]' then '''' || field else field end,
    '"', '""'
  ) || '"';
$$;

-- A workshop's log as a CSV file: what is hashed first, then the names as they are today. For the
-- workshop's staff. `packages/db/src/attendance/verify-export.ts` verifies it.
create or replace function private.attendance_export(workshop uuid) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.staffed_workshop(workshop);
  return 'previous_hash,workshop_id,number,user_id,action,method,happened_at,recorded_at,'
    || 'actor_id,session_id,reason,hash,name,actor_name' || e'\r\n'
    || coalesce((
      select string_agg(
        concat_ws(',',
          private.csv_field(entry.previous_hash, true),
          private.csv_field(entry.workshop_id::text, true),
          entry.number,
          private.csv_field(entry.user_id::text, true),
          private.csv_field(entry.action, true),
          private.csv_field(entry.method, true),
          private.csv_field(private.iso_time(entry.happened_at), true),
          private.csv_field(private.iso_time(entry.recorded_at), true),
          private.csv_field(entry.actor_id::text, true),
          private.csv_field(coalesce(entry.session_id, ''), true),
          private.csv_field(entry.reason, true),
          private.csv_field(entry.hash, true),
          private.csv_field(coalesce(private.person_json(entry.user_id) ->> 'name', ''), false),
          private.csv_field(coalesce(private.person_json(entry.actor_id) ->> 'name', ''), false)
        ) || e'\r\n',
        '' order by entry.number
      )
      from public.attendance_log as entry
      where entry.workshop_id = workshop
    ), '');
end;
$$;
grant execute on function private.attendance_export(uuid) to authenticated;
-- <<< attendance/export.sql

-- >>> attendance/json.sql
-- A workshop as the API and the events show it; the same to everybody who may see it. The address
-- of the meeting is for those who have a place, so it is not here.
create or replace function private.workshop_json(workshop public.workshops) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', workshop.id,
    'courseId', workshop.course_id,
    'title', workshop.title,
    'description', workshop.description,
    'location', workshop.location,
    'isOnline', workshop.meeting_url is not null,
    'startsAt', private.iso_time(workshop.starts_at),
    'endsAt', private.iso_time(workshop.ends_at),
    'timeZone', workshop.time_zone,
    'capacity', workshop.capacity,
    'isOpen', workshop.is_open,
    'checkInOpensMinutes', workshop.check_in_opens_minutes,
    'lateAfterMinutes', workshop.late_after_minutes,
    'status', workshop.status
  );
$$;
grant execute on function private.workshop_json(public.workshops) to authenticated;

-- How many have a place, are there, and wait. Exact, since whoever changes it has the workshop
-- locked; callable by all, since it names nobody.
create or replace function private.workshop_counts(workshop uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'registered', count(*) filter (where status in ('registered', 'checked_in')),
    'checkedIn', count(*) filter (where status = 'checked_in'),
    'waitlisted', count(*) filter (where status = 'waitlisted')
  )
  from public.workshop_registrations
  where workshop_id = workshop;
$$;
grant execute on function private.workshop_counts(uuid) to authenticated;

-- For how many seconds someone was seen in a workshop, on all devices together.
create or replace function private.seconds_present(workshop uuid, person uuid) returns integer
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select sum(extract(epoch from upper(span) - lower(span)))::integer
    from public.workshop_presence, unnest(seen) as span
    where workshop_id = workshop and user_id = person
  ), 0);
$$;
grant execute on function private.seconds_present(uuid, uuid) to authenticated;

-- Someone's registration, as they and the staff see it.
create or replace function private.registration_json(registration public.workshop_registrations)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'workshopId', registration.workshop_id,
    'person', private.person_json(registration.user_id),
    'status', registration.status,
    'registeredAt', private.iso_time(registration.registered_at),
    'checkedInAt', private.iso_time(registration.checked_in_at),
    'method', registration.method,
    'isLate', registration.is_late
  );
$$;
grant execute on function private.registration_json(public.workshop_registrations)
to authenticated;
-- <<< attendance/json.sql

-- >>> attendance/places.sql
grant insert (
  course_id, title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity,
  is_open, check_in_opens_minutes, late_after_minutes, created_by
), update (
  title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity, is_open,
  check_in_opens_minutes, late_after_minutes, status
) on public.workshops to authenticated;

create or replace trigger check_time_zone
before insert or update of time_zone on public.workshops
for each row execute function private.check_time_zone();

-- Never more places than there are, whoever writes: under the lock of the workshop, which all that
-- changes its registrations takes first, a place that isn't free becomes one on the waiting list.
-- Those who are there are there: checking in is not refused for want of a place.
create or replace function private.give_place() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  room integer;
  taken integer;
begin
  select capacity into room from public.workshops
  where id = new.workshop_id
  for no key update;
  if new.status = 'registered' and room is not null then
    select count(*) into taken
    from public.workshop_registrations
    where workshop_id = new.workshop_id
      and user_id <> new.user_id
      and status in ('registered', 'checked_in');
    if taken >= room then
      new.status := 'waitlisted';
    end if;
  end if;
  return new;
end;
$$;

create or replace trigger give_place
before insert or update of status on public.workshop_registrations
for each row execute function private.give_place();

-- Gives free places to those who wait, first come, first served, until it starts being over. They
-- are notified.
create or replace function private.fill_places(workshop uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
  free integer;
  given uuid[];
begin
  select * into target from public.workshops where id = workshop for no key update;
  if not found or target.status not in ('scheduled', 'live') then
    return;
  end if;
  select target.capacity - count(*) into free
  from public.workshop_registrations
  where workshop_id = workshop and status in ('registered', 'checked_in');
  with promoted as (
    update public.workshop_registrations
    set status = 'registered'
    where id in (
      select id from public.workshop_registrations
      where workshop_id = workshop and status = 'waitlisted'
      order by registered_at, id
      limit greatest(free, 0)
    )
    returning user_id
  )
  select array_agg(user_id) into given from promoted;
  if given is not null then
    perform private.tell_participants(
      target, given, 'success', 'You have a place', 'A place became free in "%s".', 'place'
    );
  end if;
end;
$$;

-- Notifies people of something about a workshop; `sentence` has one place, the workshop's title.
create or replace function private.tell_participants(
  workshop public.workshops,
  people uuid[],
  level text,
  title text,
  sentence text,
  about text
)
returns void
language sql set search_path = ''
as $$
  select private.notify(coalesce(jsonb_agg(jsonb_build_object(
    'user_id', person,
    'type', 'system',
    'level', level,
    'title', title,
    'message', format(sentence, workshop.title),
    'course_id', workshop.course_id,
    'related_entity_type', 'workshop',
    'related_entity_id', workshop.id,
    'data', jsonb_build_object(
      'course_id', workshop.course_id,
      'workshop_id', workshop.id,
      'workshop_title', workshop.title,
      'starts_at', private.iso_time(workshop.starts_at),
      'about', about
    )
  )), '[]'))
  from unnest(people) as person;
$$;

-- A registration is new or has changed: counts to all who are registered, the participant to the
-- staff, and to the person's own devices. A place that became free goes to the first who waits.
create or replace function private.after_registration() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations := coalesce(new, old);
  was_placed boolean := tg_op <> 'INSERT' and old.status in ('registered', 'checked_in');
  is_placed boolean := tg_op <> 'DELETE' and new.status in ('registered', 'checked_in');
  told jsonb;
begin
  if tg_op = 'DELETE' then
    registration.status := 'cancelled';
  end if;
  if not exists (select 1 from public.workshops where id = registration.workshop_id) then
    return null; -- it goes with its workshop
  end if;
  told := jsonb_build_object(
    'registration', private.registration_json(registration),
    'counts', private.workshop_counts(registration.workshop_id)
  );
  perform private.publish(
    'workshop:' || registration.workshop_id,
    'workshop.counted',
    jsonb_build_object('counts', told -> 'counts')
  );
  perform private.publish(
    format('workshop:%s:staff', registration.workshop_id), 'participant.changed', told
  );
  perform private.publish('user:' || registration.user_id, 'registration.changed', told);
  if was_placed and not is_placed then
    perform private.fill_places(registration.workshop_id);
  end if;
  return null;
end;
$$;

create or replace trigger after_registration
after insert or update of status, user_id, is_late or delete on public.workshop_registrations
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_registration();

-- A workshop is planned, changed or cancelled: those of its course hear of it, and those registered
-- are notified when it is cancelled or moved. More room goes to those who wait.
create or replace function private.after_workshop_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('workshop', private.workshop_json(new));
  registered uuid[] := array(
    select user_id from public.workshop_registrations
    where workshop_id = new.id and status in ('registered', 'waitlisted', 'checked_in')
  );
begin
  perform private.publish(
    'course:' || new.course_id,
    case tg_op when 'INSERT' then 'workshop.planned' else 'workshop.changed' end,
    told
  );
  if tg_op = 'INSERT' then
    return null;
  end if;
  perform private.publish('workshop:' || new.id, 'workshop.changed', told);
  if new.status = 'cancelled' and old.status <> 'cancelled' then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop cancelled', '"%s" will not take place.', 'cancelled'
    );
  elsif new.starts_at <> old.starts_at then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop moved', '"%s" has a new time.', 'moved'
    );
  end if;
  if new.capacity is distinct from old.capacity then
    perform private.fill_places(new.id);
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_change
after insert or update on public.workshops
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_change();

-- A workshop that the caller may see, locked against changes of its registrations; raises
-- WORKSHOP_NOT_FOUND otherwise.
create or replace function private.lock_visible_workshop(workshop uuid) returns public.workshops
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  if not exists (
    select 1 from public.workshops
    where id = workshop and (is_open or private.is_course_member(course_id, auth.uid()))
  ) then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  select * into target from public.workshops where id = workshop for no key update;
  return target;
end;
$$;

-- Registers the caller, with a place or on the waiting list. Registered already, it stays so.
create or replace function private.register_for_workshop(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  registration public.workshop_registrations;
begin
  if target.status not in ('scheduled', 'live') or target.ends_at <= clock_timestamp() then
    raise exception 'WORKSHOP_OVER' using errcode = '55000';
  end if;
  insert into public.workshop_registrations as earlier (workshop_id, user_id, registered_at)
  values (workshop, auth.uid(), clock_timestamp())
  on conflict (workshop_id, user_id) do update
  set status = 'registered', registered_at = excluded.registered_at, reminders_sent = 0
  where earlier.status = 'cancelled';
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  return private.registration_json(registration);
end;
$$;
grant execute on function private.register_for_workshop(uuid) to authenticated;

-- Gives the caller's place back. Who has been checked in has been there.
create or replace function private.cancel_registration(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  perform private.lock_visible_workshop(workshop);
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    raise exception 'ALREADY_CHECKED_IN' using errcode = '55000';
  end if;
  update public.workshop_registrations
  set status = 'cancelled'
  where id = registration.id and status <> 'cancelled';
  select * into registration from public.workshop_registrations where id = registration.id;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.cancel_registration(uuid) to authenticated;

-- Where a workshop's meeting is, for those who have a place and its staff; null for others.
create or replace function private.meeting_url(workshop uuid) returns text
language sql stable security definer set search_path = ''
as $$
  select workshops.meeting_url
  from public.workshops
  where id = workshop and (
    private.is_course_staff(course_id, auth.uid())
    or exists (
      select 1 from public.workshop_registrations
      where workshop_id = workshop
        and user_id = auth.uid()
        and status in ('registered', 'checked_in')
    )
  );
$$;
grant execute on function private.meeting_url(uuid) to authenticated;

-- Begins and ends workshops when their time has come, and reminds those who have a place a day and
-- an hour before. Run each minute; each reminder is sent once. Gives how many were sent.
create or replace function private.tend_workshops() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reminder record;
  sent integer := 0;
begin
  update public.workshops
  set status = case when ends_at <= now() then 'ended' else 'live' end
  where (status = 'scheduled' and starts_at <= now()) or (status = 'live' and ends_at <= now());
  for reminder in
    with due as (
      select registration.id, workshop.id as workshop_id,
        case when workshop.starts_at <= now() + interval '1 hour' then 2 else 1 end as stage
      from public.workshops as workshop
      join public.workshop_registrations as registration
        on registration.workshop_id = workshop.id
      where workshop.status = 'scheduled'
        and workshop.starts_at between now() and now() + interval '1 day'
        and registration.status = 'registered'
        and registration.registered_at < workshop.starts_at - case
          when workshop.starts_at <= now() + interval '1 hour' then interval '1 hour'
          else interval '1 day'
        end
    ), reminded as (
      update public.workshop_registrations as registration
      set reminders_sent = due.stage
      from due
      where registration.id = due.id and registration.reminders_sent < due.stage
      returning registration.user_id, due.workshop_id, due.stage
    )
    select workshop_id, stage, array_agg(user_id) as people
    from reminded
    group by workshop_id, stage
  loop
    perform private.tell_participants(
      workshops, reminder.people, 'info',
      case reminder.stage when 1 then 'Workshop tomorrow' else 'Workshop within the hour' end,
      case reminder.stage when 1 then '"%s" is within a day.' else '"%s" begins soon.' end,
      'reminder'
    )
    from public.workshops where id = reminder.workshop_id;
    sent := sent + cardinality(reminder.people);
  end loop;
  return sent;
end;
$$;
-- <<< attendance/places.sql

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

-- >>> jobs.sql
-- The list of jobs.ts for pg_cron, where it is installed; a job of the same name is replaced.
-- Elsewhere the stack runs them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()');
    perform cron.schedule('expire-notifications', '* * * * *', 'select private.expire_notifications()');
    perform cron.schedule('end-ghost-presence', '* * * * *', 'select private.end_ghost_presence()');
    perform cron.schedule('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()');
    perform cron.schedule('tend-workshops', '* * * * *', 'select private.tend_workshops()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
  end if;
end;
$$;
-- <<< jobs.sql

CREATE POLICY "staff of a course plan its workshops" ON "workshops" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (course_id in (select private.taught_course_ids()) and created_by = (select auth.uid()));

CREATE POLICY "staff of a course change its workshops" ON "workshops" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "members of a course open threads in their own name" ON "discussion_threads" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (created_by = (select auth.uid()) and course_id in (select private.joined_course_ids()));

CREATE POLICY "staff of a course moderate its threads" ON "discussion_threads" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "members of a course write in its open threads in their own name" ON "thread_messages" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (sender_id = (select auth.uid()) and thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids())));

CREATE POLICY "senders edit their messages in open threads" ON "thread_messages" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (sender_id = (select auth.uid()) and deleted_at is null and thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids()))) WITH CHECK (sender_id = (select auth.uid()));

CREATE POLICY "people see their attendance, staff that of their workshops" ON "attendance_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "people see when they were seen, staff of their workshops" ON "workshop_presence" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "users see their reactions" ON "thread_message_reactions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users react to what they can read and is still there" ON "thread_message_reactions" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.thread_messages as message where message.id = message_id and message.deleted_at is null and message.thread_id in (select id from public.discussion_threads where is_active and course_id in (select private.joined_course_ids()))));

CREATE POLICY "users take their reactions back" ON "thread_message_reactions" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "reporters see their reports, staff those of their courses" ON "thread_message_reports" AS PERMISSIVE FOR SELECT TO "authenticated" USING (reporter_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "members see what messages said before, staff also of deleted ones" ON "thread_message_revisions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select 1 from public.thread_messages as message join public.discussion_threads as thread on thread.id = message.thread_id where message.id = message_id and (message.deleted_at is null or thread.course_id in (select private.taught_course_ids()))));

CREATE POLICY "users see how far they have read" ON "thread_readers" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

ALTER POLICY "members of a course see its workshops" ON "workshops" TO authenticated USING (course_id in (select private.joined_course_ids()) or is_open);
