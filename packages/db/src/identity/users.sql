-- Follows `auth.users`: a sign-up gives a student, whatever the client sent; a changed address is
-- changed here too. Names come from the sign-up's metadata, cut to size.
create or replace function private.follow_auth_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  given jsonb := coalesce(new.raw_user_meta_data, '{}');
begin
  insert into public.users (id, email, first_name, last_name, avatar_url)
  values (
    new.id,
    coalesce(new.email, ''),
    left(trim(coalesce(given ->> 'first_name', given ->> 'name', '')), 100),
    left(trim(coalesce(given ->> 'last_name', '')), 100),
    left(substring(given ->> 'avatar_url' from '^https://.*$'), 2000)
  )
  on conflict (id) do update set email = excluded.email;
  return null;
end;
$$;
revoke execute on function private.follow_auth_user() from public;

create or replace trigger follow_auth_user
after insert or update of email on auth.users
for each row execute function private.follow_auth_user();

-- Times are shown and digests sent by it.
create or replace trigger check_time_zone
before insert or update of time_zone on public.users
for each row execute function private.check_time_zone();

-- The profile is the user's; role, address and state are not.
grant update (first_name, last_name, avatar_url, time_zone) on public.users to authenticated;

-- What people may see of each other: name, picture and role of themselves, of everybody in a
-- course with them, and of those who teach a published course. Never the address. Runs as its
-- owner, so the conditions here are the whole guard.
create or replace view public.profiles with (security_barrier = true) as
select users.id, users.first_name, users.last_name, users.avatar_url, users.role
from public.users
where users.id = (select auth.uid())
  or (select private.is_admin())
  or exists (
    select 1
    from public.course_instructors
    join public.courses on courses.id = course_instructors.course_id
    where course_instructors.user_id = users.id
      and (courses.status = 'published' or courses.id in (select private.joined_course_ids()))
  )
  or exists (
    select 1
    from public.enrollments
    where enrollments.user_id = users.id
      and enrollments.status <> 'cancelled'
      and enrollments.course_id in (select private.joined_course_ids())
  );
revoke all on public.profiles from anon, authenticated, service_role;
grant select on public.profiles to authenticated, service_role;

-- As others see a person's name; "Someone" until there is one.
create or replace function private.display_name(first_name text, last_name text) returns text
language sql immutable
as $$
  select coalesce(nullif(trim(first_name || ' ' || last_name), ''), 'Someone');
$$;
revoke execute on function private.display_name(text, text) from public;
grant execute on function private.display_name(text, text) to authenticated;
