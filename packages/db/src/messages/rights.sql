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

-- Those whom the caller may write, whose name, or last name, begins with `words`: at most `max`, by
-- name.
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
        person.first_name || ' ' || person.last_name
          ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
        or person.last_name ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
      )
      and private.can_message(auth.uid(), person.id)
    order by person.first_name, person.last_name, person.id
    limit least(max, 50)
  ) as people;
$$;
grant execute on function private.find_people_to_message(text, integer) to authenticated;
