set check_function_bodies = off;

ALTER TABLE "messages" DROP CONSTRAINT "messages_say_something";

ALTER TABLE "private"."presence_leases" DROP CONSTRAINT "presence_leases_have_a_known_status";

ALTER TABLE "message_reports" ADD COLUMN "status" text DEFAULT 'open' NOT NULL;

ALTER TABLE "message_reports" ADD COLUMN "resolved_by" uuid;

ALTER TABLE "message_reports" ADD COLUMN "resolved_at" timestamp with time zone;

ALTER TABLE "messages" ADD COLUMN "removed_at" timestamp with time zone;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

CREATE INDEX "message_reports_newest_first" ON "message_reports" USING btree ("status","created_at","id");

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_link_files_by_https" CHECK (not jsonb_path_exists(attachments, '$[*] ? (!(@.url like_regex "^(https://|/[^/\\\\])"))'));

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_have_a_known_status" CHECK (status in ('open', 'dismissed', 'removed'));

ALTER TABLE "messages" ADD CONSTRAINT "messages_say_something" CHECK (char_length(content) <= 20000 and (content <> '' or removed_at is not null));

ALTER TABLE "private"."presence_leases" ADD CONSTRAINT "presence_leases_have_a_known_status" CHECK (status in ('online', 'away', 'hidden'));

-- >>> attendance/export.sql
-- A field of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is shown as
-- text, by an apostrophe. Of a hashed one that can be taken back (chain.ts does): the apostrophe is
-- also put before those that have one in that place.
create or replace function private.csv_field(field text, is_hashed boolean) returns text
language sql immutable
as $$
  select '"' || replace(
    case
      when field ~ (case when is_hashed then '^''*[=+\-@\t\r]' else '^[=+\-@\t\r]' end)
        then '''' || field
      else field
    end,
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

-- >>> attendance/places.sql
-- The address of the meeting is for those who have a place (`private.meeting_url`).
revoke select on public.workshops from authenticated;
grant select (
  id, course_id, title, description, location, starts_at, ends_at, time_zone, is_open,
  check_in_opens_minutes, late_after_minutes, capacity, status, sequence, created_by, created_at,
  updated_at
) on public.workshops to authenticated;
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
  if tg_op = 'UPDATE' and new.status <> old.status then
    new.sequence := old.sequence + 1;
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
    'type', 'workshop',
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

-- When a workshop begins, in words and where it takes place: Tuesday 24 November, 18:00
-- (Europe/Stockholm).
create or replace function private.workshop_when(workshop public.workshops) returns text
language sql stable set search_path = ''
as $$
  select to_char(
    workshop.starts_at at time zone workshop.time_zone, 'FMDay FMDD FMMonth, HH24:MI'
  ) || ' (' || replace(workshop.time_zone, '_', ' ') || ')';
$$;

-- What changes with a workshop: its number for calendars, and its state, when it is moved to
-- another time.
create or replace function private.before_workshop_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if (new.title, new.description, new.location, new.meeting_url, new.starts_at, new.ends_at,
      new.status = 'cancelled')
    is distinct from
    (old.title, old.description, old.location, old.meeting_url, old.starts_at, old.ends_at,
      old.status = 'cancelled')
  then
    new.sequence := old.sequence + 1;
  end if;
  if (new.starts_at, new.ends_at) is distinct from (old.starts_at, old.ends_at)
    and new.status = old.status and new.status <> 'cancelled'
  then
    new.status := case
      when new.ends_at <= now() then 'ended'
      when new.starts_at <= now() then 'live'
      else 'scheduled'
    end;
  end if;
  return new;
end;
$$;

create or replace trigger before_workshop_change
before update on public.workshops
for each row execute function private.before_workshop_change();

-- A workshop is planned, changed or cancelled: those of its course hear of it, and those registered
-- are notified when it is cancelled or takes place at another time or place. More room goes to
-- those who wait.
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
  -- To everybody with a list of workshops, and therefore without a word about which: lists are asked
  -- for anew, by those who may see it.
  perform private.publish('school:workshops', 'workshops.changed', '{}');
  if tg_op = 'INSERT' then
    return null;
  end if;
  perform private.publish('workshop:' || new.id, 'workshop.changed', told);
  if new.status = 'cancelled' and old.status <> 'cancelled' then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop cancelled', '"%s" will not take place.', 'cancelled'
    );
  elsif new.status <> 'ended' and new.starts_at <> old.starts_at then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop moved',
      '"%s" is now on ' || private.workshop_when(new) || '.', 'moved'
    );
  elsif new.status <> 'ended'
    and (new.location, new.meeting_url) is distinct from (old.location, old.meeting_url)
  then
    perform private.tell_participants(
      new, registered, 'info', 'Workshop changed', '"%s" has a new place.', 'changed'
    );
  end if;
  if new.starts_at <> old.starts_at then
    -- Of the new time one is reminded again, but not of what has just been said.
    update public.workshop_registrations
    set reminders_sent = case
      when new.starts_at <= now() + interval '1 hour' then 2
      when new.starts_at <= now() + interval '1 day' then 1
      else 0
    end
    where workshop_id = new.id;
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
      '"%s" begins on ' || private.workshop_when(workshops) || '.',
      'reminder'
    )
    from public.workshops where id = reminder.workshop_id;
    sent := sent + cardinality(reminder.people);
  end loop;
  return sent;
end;
$$;
-- <<< attendance/places.sql

-- >>> catalog/authoring.sql
-- Raises COURSE_NOT_FOUND unless the caller belongs to the staff of a course.
create or replace function private.check_author(course uuid) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not private.is_service() and not private.is_course_staff(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
end;
$$;

-- The course of a lesson that its authors haven't removed. Raises LESSON_NOT_FOUND.
create or replace function private.course_of_lesson(lesson uuid) returns uuid
language plpgsql stable set search_path = ''
as $$
declare
  course uuid;
begin
  select modules.course_id into course
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  where lessons.id = lesson and lessons.removed_at is null;
  if not found or not private.is_course_staff(course, auth.uid()) then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  end if;
  return course;
end;
$$;

-- The drafts of a course, locked until the transaction ends.
create or replace function private.lock_drafts(course uuid) returns public.course_drafts
language plpgsql
as $$
declare
  drafts public.course_drafts;
begin
  insert into public.course_drafts (course_id) values (course) on conflict do nothing;
  select * into drafts from public.course_drafts where course_id = course for update;
  return drafts;
end;
$$;

-- Refuses a save that began from another state than the one that is there: DRAFT_CONFLICT.
create or replace function private.check_version(given integer, current integer) returns void
language plpgsql immutable
as $$
begin
  if given is distinct from current then
    raise exception 'DRAFT_CONFLICT'
      using errcode = 'P0001', detail = format('It is at version %s by now.', current);
  end if;
end;
$$;

-- Makes a draft of a course, taught by the caller. For instructors and administrators.
create or replace function public.create_course(title text, slug text) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if not exists (
    select 1 from public.users
    where id = auth.uid() and role in ('instructor', 'admin') and is_active
  ) then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  insert into public.courses (title, slug, created_by)
  values (create_course.title, create_course.slug, auth.uid())
  returning id into course;
  insert into public.course_instructors (course_id, user_id) values (course, auth.uid());
  return course;
end;
$$;
grant execute on function public.create_course(text, text) to authenticated;

-- Keeps what an author has changed in the course's own texts, until it is published. `base` is the
-- version they began from. Gives the new one.
create or replace function public.save_course_draft(course_id uuid, base integer, details jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  drafts public.course_drafts;
begin
  perform private.check_author(course_id);
  drafts := private.lock_drafts(course_id);
  perform private.check_version(base, drafts.details_version);
  update public.course_drafts as draft
  set
    details = save_course_draft.details,
    details_version = draft.details_version + 1,
    updated_by = auth.uid()
  where draft.course_id = save_course_draft.course_id;
  return drafts.details_version + 1;
end;
$$;
grant execute on function public.save_course_draft(uuid, integer, jsonb) to authenticated;

-- Keeps how an author has arranged a course: `[{ id, title, summary, lessonIds }]`, until it is
-- published. A module with a new id is made; what isn't named any more is taken out with the
-- publication. Raises OUTLINE_INVALID for a lesson twice, or of another course.
create or replace function public.save_outline(course_id uuid, base integer, outline jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  drafts public.course_drafts;
begin
  perform private.check_author(course_id);
  drafts := private.lock_drafts(course_id);
  perform private.check_version(base, drafts.outline_version);
  insert into public.modules (id, course_id, title, summary, is_published, position)
  select
    module.id, save_outline.course_id, module.title, coalesce(module.summary, ''), false,
    -- Below all that are there, until publication gives it its place.
    coalesce((
      select least(min(had.position), 0) from public.modules as had
      where had.course_id = save_outline.course_id
    ), 0) - row_number() over ()
  from jsonb_to_recordset(outline) as module (id uuid, title text, summary text)
  on conflict (id) do nothing;
  if exists (
    select 1
    from jsonb_to_recordset(outline) as module (id uuid)
    left join public.modules as known on known.id = module.id
    where known.course_id is distinct from save_outline.course_id
  ) or exists (
    select 1
    from jsonb_to_recordset(outline) as module ("lessonIds" jsonb)
    cross join jsonb_array_elements_text(module."lessonIds") as named (lesson_id)
    left join public.lessons as known on known.id::text = named.lesson_id
    left join public.modules as home on home.id = known.module_id
    where home.course_id is distinct from save_outline.course_id
  ) or (
    select count(*) <> count(distinct named.lesson_id)
    from jsonb_to_recordset(outline) as module ("lessonIds" jsonb)
    cross join jsonb_array_elements_text(module."lessonIds") as named (lesson_id)
  ) or (
    select count(*) <> count(distinct module.id)
    from jsonb_to_recordset(outline) as module (id uuid)
  ) then
    raise exception 'OUTLINE_INVALID' using errcode = '22023';
  end if;
  update public.course_drafts as draft
  set
    outline = save_outline.outline,
    outline_version = draft.outline_version + 1,
    updated_by = auth.uid()
  where draft.course_id = save_outline.course_id;
  return drafts.outline_version + 1;
end;
$$;
grant execute on function public.save_outline(uuid, integer, jsonb) to authenticated;

-- Makes a lesson at the end of a module, out of sight until it is published. Gives its id and the
-- outline's new version.
create or replace function public.create_lesson(module_id uuid, title text, kind text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course uuid;
  drafts public.course_drafts;
  lesson uuid;
begin
  select modules.course_id into course from public.modules where modules.id = module_id;
  if not found then
    raise exception 'MODULE_NOT_FOUND' using errcode = 'P0002';
  end if;
  perform private.check_author(course);
  drafts := private.lock_drafts(course);
  insert into public.lessons (module_id, title, kind, is_published, position)
  values (
    module_id, title, kind, false,
    (
      select coalesce(max(abs(had.position)), 0) + 1 from public.lessons as had
      where had.module_id = create_lesson.module_id
    )
  )
  returning id into lesson;
  update public.course_drafts as draft
  set
    outline = case
      when draft.outline is null then null
      else (
        select jsonb_agg(
          case
            when module ->> 'id' = create_lesson.module_id::text
              then jsonb_set(module, '{lessonIds}', (module -> 'lessonIds') || to_jsonb(lesson))
            else module
          end
          order by position
        )
        from jsonb_array_elements(draft.outline) with ordinality as listed (module, position)
      )
    end,
    outline_version = draft.outline_version + 1,
    updated_by = auth.uid()
  where draft.course_id = course;
  return jsonb_build_object('lessonId', lesson, 'outlineVersion', drafts.outline_version + 1);
end;
$$;
grant execute on function public.create_lesson(uuid, text, text) to authenticated;

-- Keeps what an author has changed in a lesson, until it is published; null takes it all back.
-- `base` is the version they began from. Gives the new one.
create or replace function public.save_lesson_draft(lesson_id uuid, base integer, edit jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course uuid := private.course_of_lesson(lesson_id);
  current integer;
begin
  if jsonb_typeof(edit -> 'quiz') = 'object' then
    perform private.check_quiz(edit -> 'quiz');
  end if;
  insert into public.lesson_drafts (lesson_id, course_id) values (lesson_id, course)
  on conflict do nothing;
  select draft.version into current from public.lesson_drafts as draft
  where draft.lesson_id = save_lesson_draft.lesson_id
  for update;
  perform private.check_version(base, current);
  update public.lesson_drafts as draft
  set edit = save_lesson_draft.edit, version = current + 1, updated_by = auth.uid()
  where draft.lesson_id = save_lesson_draft.lesson_id;
  -- Not what it says: who has the lesson open asks for it when they want it.
  perform private.publish(
    format('course:%s:staff', course),
    'lesson.drafted',
    jsonb_build_object(
      'lessonId', lesson_id, 'version', current + 1, 'by', private.person_json(auth.uid())
    )
  );
  return current + 1;
end;
$$;
grant execute on function public.save_lesson_draft(uuid, integer, jsonb) to authenticated;

-- A course as its authors see it: what is published with what they have changed over it.
create or replace function public.course_workbench(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_author(course_workbench.course_id);
  return (
    select jsonb_build_object(
      'courseId', course.id,
      'status', course.status,
      'version', course.version,
      'publishedAt', private.iso_time(course.published_at),
      'details', jsonb_build_object(
        'slug', course.slug,
        'title', course.title,
        'summary', course.summary,
        'description', course.description,
        'coverUrl', course.cover_url,
        'category', course.category,
        'level', course.level,
        'priceCents', course.price_cents,
        'currency', course.currency
      ) || coalesce(draft.details, '{}'),
      'detailsVersion', coalesce(draft.details_version, 0),
      'outline', coalesce(draft.outline, private.course_modules(course.id, true)),
      'outlineVersion', coalesce(draft.outline_version, 0),
      'hasDraft', draft.details is not null or draft.outline is not null or exists (
        select 1 from public.lesson_drafts as changed
        where changed.course_id = course.id and changed.edit is not null
      ),
      'lessons', coalesce((
        select jsonb_agg(
          private.lesson_card(lesson)
            || coalesce(
              changed.edit - 'content' - 'quiz' - 'attachments' - 'videoUrl' - 'captionsUrl', '{}'
            )
            || jsonb_build_object(
              'isPublished', coalesce((changed.edit ->> 'isPublished')::boolean, lesson.is_published),
              'hasDraft', changed.edit is not null
            )
        )
        from public.lessons as lesson
        join public.modules as home on home.id = lesson.module_id
        left join public.lesson_drafts as changed on changed.lesson_id = lesson.id
        where home.course_id = course.id and lesson.removed_at is null
      ), '[]')
    )
    from public.courses as course
    left join public.course_drafts as draft on draft.course_id = course.id
    where course.id = course_workbench.course_id
  );
end;
$$;
grant execute on function public.course_workbench(uuid) to authenticated;

-- A lesson as its authors see it: what is published with what they have changed over it.
create or replace function public.lesson_workbench(lesson_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  course uuid := private.course_of_lesson(lesson_workbench.lesson_id);
begin
  return (
    select jsonb_build_object(
      'lessonId', lesson.id,
      'courseId', course,
      'version', coalesce(draft.version, 0),
      'seq', private.live_cursor(format('course:%s:staff', course)),
      'hasDraft', draft.edit is not null,
      'updatedAt', private.iso_time(coalesce(draft.updated_at, lesson.updated_at)),
      'updatedBy', (
        select private.display_name(first_name, last_name) from public.users
        where id = draft.updated_by
      ),
      'fields', private.lesson_fields(lesson) || coalesce(draft.edit, '{}'),
      'published', case when lesson.is_published then private.lesson_fields(lesson) end
    )
    from public.lessons as lesson
    left join public.lesson_drafts as draft on draft.lesson_id = lesson.id
    where lesson.id = lesson_workbench.lesson_id
  );
end;
$$;
grant execute on function public.lesson_workbench(uuid) to authenticated;

-- All that authors write in a lesson.
create or replace function private.lesson_fields(lesson public.lessons) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'title', lesson.title,
    'kind', lesson.kind,
    'content', lesson.content,
    'videoUrl', lesson.video_url,
    'captionsUrl', lesson.captions_url,
    'attachments', lesson.attachments,
    'quiz', lesson.quiz,
    'durationMinutes', lesson.duration_minutes,
    'isPublished', lesson.is_published,
    'isRequired', lesson.is_required
  );
$$;

create or replace trigger touch_updated_at
before update on public.course_drafts
for each row execute function private.touch_updated_at();
create or replace trigger touch_updated_at
before update on public.lesson_drafts
for each row execute function private.touch_updated_at();
-- <<< catalog/authoring.sql

-- >>> live/topics.sql
-- Who may read a topic. Used at join (by `can_join_channel`), by the policy on `live_topics`, and
-- by `live_since`. A few lookups by primary key. (The name is taken apart by its colons: one regular
-- expression for all of it, with a bounded repetition inside, cost half a millisecond a call.)
create or replace function private.can_read_topic(topic text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  -- kind, subject, 'staff' if it is the staff's.
  parts text[] := string_to_array(topic, ':');
  for_staff boolean := cardinality(parts) = 3 and parts[3] = 'staff';
  subject uuid;
begin
  if (cardinality(parts) = 2 or for_staff) is not true then
    return false;
  end if;
  -- For everybody, also without an account: who has the serial number has been shown the certificate.
  if parts[1] = 'certificate' then
    return not for_staff and exists (
      select 1 from public.certificates where serial_number = parts[2]
    );
  end if;
  if not exists (select 1 from public.users where id = person and is_active) then
    return false;
  end if;
  if parts[2] !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return not for_staff and (
      (parts[1] = 'leaderboard' and parts[2] in ('global', 'week'))
      or (parts[1] = 'school' and parts[2] = 'workshops')
    );
  end if;
  subject := parts[2]::uuid;
  case parts[1]
    when 'user' then
      return subject = person and not for_staff;
    when 'course' then
      if for_staff then
        return private.is_course_staff(subject, person);
      end if;
      return private.is_course_member(subject, person);
    when 'leaderboard' then
      return not for_staff and private.is_course_member(subject, person);
    when 'thread' then
      return not for_staff and exists (
        select 1 from public.discussion_threads
        where id = subject and private.is_course_member(course_id, person)
      );
    when 'workshop' then
      return exists (
        select 1 from public.workshops
        where id = subject and private.is_course_staff(course_id, person)
      ) or (not for_staff and exists (
        select 1 from public.workshop_registrations
        where workshop_id = subject and user_id = person and status <> 'cancelled'
      ));
    else
      return false;
  end case;
end;
$$;
grant execute on function private.can_read_topic(text, uuid) to authenticated;

grant select on private.live_topics to authenticated, service_role;

-- Heads are updated at every event: room on their page keeps that off the index.
alter table private.live_topics set (fillfactor = 50);

-- The number of a topic's newest event; 0 when there is none, or none for the caller. To be read
-- in one snapshot with the data: in one statement, or in a `repeatable read` transaction.
create or replace function private.live_cursor(topic text) returns bigint
language sql stable
as $$
  select coalesce((select seq from private.live_topics where live_topics.topic = live_cursor.topic), 0);
$$;
grant execute on function private.live_cursor(text) to authenticated, service_role;

-- Whether the session belongs to a service or an operator rather than to a user.
create or replace function private.is_service() returns boolean
language sql stable set search_path = ''
as $$
  select coalesce(nullif(current_setting('role', true), 'none'), session_user)
    in ('postgres', 'service_role', 'supabase_admin');
$$;

-- The events of a topic after a number, oldest first, at most 500: `{ status: 'events', events,
-- head, epoch }`. `{ status: 'too-old', head, epoch }` when some of them are beyond retention, or
-- when the number is none of ours: then only a new snapshot helps. `epoch` is that of the topic's
-- channel (epochs.sql). Callable by whoever may read the topic.
create or replace function public.live_since(topic text, after bigint, max integer default 500)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  head bigint;
  epoch bigint;
  events jsonb;
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  select heads.seq, heads.epoch into head, epoch
  from private.live_topics as heads
  where heads.topic = live_since.topic;
  head := coalesce(head, 0);
  epoch := coalesce(epoch, 0);
  if after = head then
    return jsonb_build_object(
      'status', 'events', 'events', '[]'::jsonb, 'head', head, 'epoch', epoch
    );
  end if;
  select jsonb_agg(
    jsonb_build_object('seq', seq, 'event', event, 'at', private.epoch_ms(created_at), 'data', payload)
    order by seq
  )
  into events
  from (
    select * from private.live_events as stored
    where stored.topic = live_since.topic and stored.seq > live_since.after
    order by stored.seq
    limit least(greatest(live_since.max, 1), 500)
  ) as page;
  if events is null or (events -> 0 ->> 'seq')::bigint is distinct from after + 1 then
    return jsonb_build_object('status', 'too-old', 'head', head, 'epoch', epoch);
  end if;
  return jsonb_build_object('status', 'events', 'events', events, 'head', head, 'epoch', epoch);
end;
$$;
grant execute on function public.live_since(text, bigint, integer)
to anon, authenticated, service_role;
-- <<< live/topics.sql

-- >>> messages/moderation.sql
-- A report as the API and the events show it to administrators.
create or replace function private.message_report_json(report public.message_reports) returns jsonb
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
grant execute on function private.message_report_json(public.message_reports) to authenticated;

-- Tells the administrators how a report stands.
create or replace function private.tell_message_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || admin.id,
    'message_report.updated',
    jsonb_build_object('report', private.message_report_json(message_reports))
  )
  from public.message_reports, public.users as admin
  where message_reports.id = report and admin.role = 'admin' and admin.is_active;
$$;

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
  perform private.tell_message_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', id,
      'type', 'system',
      'level', 'warning',
      'title', 'A direct message was reported',
      'message', private.excerpt(target.content),
      'related_entity_type', 'message_report',
      'related_entity_id', report,
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

-- Takes away what a direct message said, and tells both. Its number stays, so nothing is counted
-- anew; what was reported keeps it.
create or replace function private.remove_message(message uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  target public.messages;
begin
  update public.messages
  set content = '', removed_at = clock_timestamp()
  where id = message and removed_at is null
  returning * into target;
  if not found then
    return;
  end if;
  select * into conversation from public.conversations where id = target.conversation_id;
  update public.notifications
  set message = 'This message was removed.'
  where user_id = target.recipient_id
    and related_entity_id = conversation.id
    and (data ->> 'message_number')::integer = target.number;
  perform private.publish(
    'user:' || person,
    'direct_message.removed',
    jsonb_build_object(
      'message', private.direct_message_json(target),
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', 0
    )
  )
  from unnest(array[conversation.low_id, conversation.high_id]) as person
  where person is not null;
end;
$$;

-- What becomes of the open reports of a direct message: it is removed, or nothing was wrong with it.
-- For administrators. Gives how many reports that resolved.
create or replace function private.resolve_message_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  resolved uuid[];
begin
  if not private.is_admin() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if resolve_message_reports.status = 'removed' then
    perform private.remove_message(message);
  end if;
  with changed as (
    update public.message_reports as report
    set status = resolve_message_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_message_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_message_reports(uuid, text) to authenticated;
-- <<< messages/moderation.sql

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
    'isRemoved', message.removed_at is not null,
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
-- <<< messages/write.sql

-- >>> presence/presence.sql
grant select, insert (user_id, is_invisible), update (is_invisible) on public.presence_settings
to authenticated;

-- Whether one person may see of another whether they are online: they share a course, and none has
-- blocked the other.
create or replace function private.sees_contact(viewer uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((viewer, person), (person, viewer))
  ) and exists (
    select 1
    from private.memberships(viewer) as own
    join private.memberships(person) as theirs using (course_id)
  );
$$;

-- Whether someone has a portal open: 'online', 'away' or 'offline', as which the invisible appear;
-- and when they last were seen there, if they aren't. For whom `sees_contact` lets.
create or replace function private.contact_json(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'userId', person,
    'status', coalesce((
      select nullif(status, 'hidden') from private.presence_leases
      where topic = 'user:' || person and user_id = person
    ), 'offline'),
    'lastSeenAt', (
      select private.iso_time(last_seen_at) from public.student_presence
      where user_id = person and course_id is null and workshop_id is null
    )
  );
$$;

-- The caller's contacts: those of their hundred newest conversations, or the one who is asked for.
create or replace function private.contacts_of(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.contact_json(contact)), '[]')
  from (
    select contacts_of.person as contact where contacts_of.person is not null
    union all
    select contact from private.newest_contacts(auth.uid()) as contact
    where contacts_of.person is null
  ) as contacts
  where private.sees_contact(auth.uid(), contact);
$$;
grant execute on function private.contacts_of(uuid) to authenticated;

-- With whom someone has their hundred newest conversations.
create or replace function private.newest_contacts(person uuid) returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select contact
  from (
    select case when low_id = person then high_id else low_id end as contact
    from public.conversations
    where low_id = person or high_id = person
    order by last_message_at desc
    limit 100
  ) as newest
  where contact is not null;
$$;

-- Tells those with whom someone writes, and who have a portal open themselves, whether they are there.
create or replace function private.tell_contacts(person uuid) returns void
language sql security definer set search_path = ''
as $$
  select private.publish('user:' || contact, 'contact.changed', private.contact_json(person))
  from private.newest_contacts(person) as contact
  where exists (
    select 1 from private.presence_leases
    where topic = 'user:' || contact and user_id = contact
  ) and private.sees_contact(contact, person);
$$;

-- Tells that someone is somewhere, or isn't any more: each of up to a hundred by name; beyond it,
-- only the number, once a second, by `tell_crowds`. The staff of a workshop is told of everybody.
create or replace function private.tell_presence(place text, person uuid, status text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if place like 'user:%' then
    perform private.tell_contacts(person);
    return;
  end if;
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
  where split_part(place, ':', 1) in ('course', 'workshop', 'user')
  on conflict (user_id, course_id, workshop_id) do update
  set
    status = excluded.status,
    last_seen_at = case
      when excluded.status = 'offline' then student_presence.last_seen_at
      else excluded.last_seen_at
    end;
$$;

-- A tab of the caller's says that they are somewhere: 'online' in front, 'away' behind or idle,
-- 'leaving' when it closes, which counts in 23 seconds unless the next page says otherwise, or
-- another tab, which does so every 20. For readers of the topic; who is invisible is nowhere, and in
-- the portal as a whole, `user:<uid>`, 'hidden': they are still told of others.
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
    set seen_at = least(seen_at, moment - interval '22 seconds')
    where topic = place and user_id = me;
    return;
  end if;
  if exists (select 1 from public.presence_settings where user_id = me and is_invisible) then
    if place not like 'user:%' then
      perform private.end_presence(array[place], array[me]);
      return;
    end if;
    tab_status := 'hidden';
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
      when tab_status in ('online', 'hidden') or lease.status = 'hidden' then tab_status
      else lease.status
    end
  returning status into after;
  if after <> 'hidden' then
    perform private.keep_last_seen(place, me, after);
  end if;
  if after is distinct from before then
    perform private.tell_presence(place, me, after);
  end if;
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
    returning topic, user_id, status
  loop
    if gone.status <> 'hidden' then
      perform private.keep_last_seen(gone.topic, gone.user_id, 'offline');
      perform private.tell_presence(gone.topic, gone.user_id, 'offline');
    end if;
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
