-- Who loses a right, and to which topics. Each row that gave a right and is gone moves what it gave
-- the right to, also where another row still gives it: two transactions that each take one of the
-- two away see each other's, and neither would know that it took the last. The person is told
-- `access.revoked` on their own topic, and asks again for everything that they follow.

-- The topics of all members of a course.
create or replace function private.course_topics(course uuid) returns setof text
language sql stable
as $$
  select unnest(array['course:' || course, 'leaderboard:' || course])
  union all
  select 'thread:' || id from public.discussion_threads where course_id = course;
$$;

-- The topics of a course's staff: those of the members, and their own.
create or replace function private.course_staff_topics(course uuid) returns setof text
language sql stable
as $$
  select private.course_topics(course)
  union all
  select 'course:' || course || ':staff'
  union all
  select unnest(array['workshop:' || id, 'workshop:' || id || ':staff'])
  from public.workshops
  where course_id = course;
$$;

-- Tells people that they have lost the right to something.
create or replace function private.tell_revoked(people uuid[], scopes text[]) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || person,
        'event', 'access.revoked',
        'payload', jsonb_build_object('scope', scope)
      )::text,
      ','
    )
    from unnest(people, scopes) as lost (person, scope)
  ));
end;
$$;

-- Ends what membership of courses gave: `people` and `course_ids` are pairs. `as_staff` says which
-- membership it was.
create or replace function private.end_course_rights(
  people uuid[],
  course_ids uuid[],
  as_staff boolean
)
returns void
language plpgsql
as $$
declare
  course uuid;
  topics text[];
begin
  if people is null then
    return;
  end if;
  perform private.tell_revoked(people, (
    select array_agg('course:' || id order by position)
    from unnest(course_ids) with ordinality as lost (id, position)
  ));
  for course in select distinct id from unnest(course_ids) as id loop
    topics := case
      when as_staff then array(select private.course_staff_topics(course))
      else array(select private.course_topics(course))
    end;
    perform private.move_topics(topics, (
      select count(*) from public.enrollments
      where course_id = course and status <> 'cancelled'
    ));
  end loop;
end;
$$;

-- Enrollments that were cancelled, or given to another student or course.
create or replace function private.after_enrollment_cancelled() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(before.user_id), array_agg(before.course_id)
  into people, course_ids
  from before
  join after using (id)
  where before.status <> 'cancelled'
    and (after.status = 'cancelled'
      or (after.user_id, after.course_id) is distinct from (before.user_id, before.course_id));
  if people is not null then
    perform private.end_course_rights(people, course_ids, false);
  end if;
  return null;
end;
$$;

create or replace trigger after_enrollment_cancelled
after update on public.enrollments
referencing old table as before new table as after
for each statement
execute function private.after_enrollment_cancelled();

create or replace function private.after_enrollment_deleted() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(user_id), array_agg(course_id)
  into people, course_ids
  from deleted
  where status <> 'cancelled';
  perform private.end_course_rights(people, course_ids, false);
  return null;
end;
$$;

create or replace trigger after_enrollment_deleted
after delete on public.enrollments
referencing old table as deleted
for each statement
execute function private.after_enrollment_deleted();

-- An instructor who no longer teaches a course.
create or replace function private.after_instructor_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.end_course_rights(array[old.user_id], array[old.course_id], true);
  return null;
end;
$$;

create or replace trigger after_instructor_removed
after delete or update of user_id, course_id on public.course_instructors
for each row
execute function private.after_instructor_removed();

-- A registration that was cancelled or removed, or given to somebody else.
create or replace function private.after_registration_ended() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  topic text := 'workshop:' || old.workshop_id;
begin
  perform private.tell_revoked(array[old.user_id], array[topic]);
  perform private.move_topics(array[topic], (
    select count(*) from public.workshop_registrations
    where workshop_id = old.workshop_id and status <> 'cancelled'
  ));
  return null;
end;
$$;

create or replace trigger after_registration_deleted
after delete on public.workshop_registrations
for each row
when (old.status <> 'cancelled')
execute function private.after_registration_ended();

create or replace trigger after_registration_cancelled
after update of status, user_id, workshop_id on public.workshop_registrations
for each row
when (old.status <> 'cancelled'
  and (new.status = 'cancelled'
    or (new.user_id, new.workshop_id) is distinct from (old.user_id, old.workshop_id)))
execute function private.after_registration_ended();

-- A person who may not come in any more: everything that they had a right to moves, their own topic
-- too, where the move is what tells them.
create or replace function private.after_user_deactivated() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.move_topics(array['user:' || old.id], 0);
  perform private.end_course_rights(array[old.id], array[course_id], false)
  from public.enrollments
  where user_id = old.id and status <> 'cancelled';
  perform private.end_course_rights(array[old.id], array[course_id], true)
  from public.course_instructors
  where user_id = old.id;
  perform private.move_topics(array_agg('workshop:' || workshop_id), 50)
  from public.workshop_registrations
  where user_id = old.id and status <> 'cancelled';
  return null;
end;
$$;

create or replace trigger after_user_deactivated
after update of is_active on public.users
for each row
when (old.is_active and not new.is_active)
execute function private.after_user_deactivated();

-- An administrator who is none any more could read every course: all of them move. Rare, and as
-- slow as there are topics.
create or replace function private.after_admin_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_revoked(array[old.id], array['everything']);
  perform private.move_topics(
    array(select private.course_staff_topics(courses.id) from public.courses), 500
  );
  return null;
end;
$$;

create or replace trigger after_admin_removed
after update of role, is_active on public.users
for each row
when (old.role = 'admin' and old.is_active and (new.role <> 'admin' or not new.is_active))
execute function private.after_admin_removed();

create or replace trigger after_admin_deleted
after delete on public.users
for each row
when (old.role = 'admin' and old.is_active)
execute function private.after_admin_removed();
