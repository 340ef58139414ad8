-- Supabase grants everything on every new table and function of `public` to its API roles.
-- Here each table's own file grants what is needed, and nothing is granted by default.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public grant select, insert, update, delete on tables to service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated;
alter default privileges in schema public revoke execute on functions from anon, authenticated;
alter default privileges revoke execute on functions from public;

revoke all on all tables in schema public from anon, authenticated;
revoke all on all sequences in schema public from anon, authenticated;

grant usage on schema private to authenticated, service_role;

-- Whether the caller is an administrator. For policies: evaluated once per statement.
create or replace function private.is_admin() returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.users
    where id = (select auth.uid()) and role = 'admin' and is_active
  );
$$;

-- The courses whose staff the caller belongs to: those they teach; all, for an administrator.
create or replace function private.taught_course_ids() returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select course_id from public.course_instructors where user_id = (select auth.uid())
  union
  select id from public.courses where (select private.is_admin());
$$;

-- The courses in which the caller takes part, as student or as staff.
create or replace function private.joined_course_ids() returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select course_id from public.enrollments
  where user_id = (select auth.uid()) and status <> 'cancelled'
  union
  select private.taught_course_ids();
$$;

-- Whether someone belongs to the staff of a course. For topics, where the user is an argument.
create or replace function private.is_course_staff(course uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.course_instructors where course_id = course and user_id = person
  ) or exists (
    select 1 from public.users where id = person and role = 'admin' and is_active
  );
$$;

-- Whether someone takes part in a course, as student or as staff.
create or replace function private.is_course_member(course uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.enrollments
    where course_id = course and user_id = person and status <> 'cancelled'
  ) or private.is_course_staff(course, person);
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.is_admin() to authenticated;
grant execute on function private.taught_course_ids() to authenticated;
grant execute on function private.joined_course_ids() to authenticated;

-- Every change moves `updated_at`; nobody sets it.
create or replace function private.touch_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end;
$$;

do $$
declare
  target text;
begin
  for target in
    select table_name from information_schema.columns
    where table_schema = 'public' and column_name = 'updated_at'
  loop
    execute format(
      'create or replace trigger touch_updated_at before update on public.%I
       for each row execute function private.touch_updated_at()',
      target
    );
  end loop;
end;
$$;

-- The server's own role does what services do, under no policy, without emptying or altering.
revoke all on all tables in schema public from service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
