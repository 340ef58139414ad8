-- The rules by which a course counts as done, for whoever changes them:
--
-- * What counts are the published, required lessons in published modules. Counts are compared, never
--   percentages. A course without any can't be finished; a module without any holds nobody up.
-- * Who hasn't finished is counted against the newest version, from the moment it is published.
--   A required lesson more, and the share goes down; nothing that was done is undone. One fewer
--   (removed, unpublished, made optional), and whoever has all the others finishes at that moment.
--   A lesson that moves keeps its completions.
-- * Who has finished, has finished: enrollment, certificate, points and version stay as they are.
-- * A module once done stays done.

-- The lessons that count.
create or replace function private.required_lessons(course uuid)
returns table (lesson_id uuid, module_id uuid)
language sql stable
as $$
  select lessons.id, lessons.module_id
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course
    and modules.is_published
    and lessons.is_published
    and lessons.is_required;
$$;

-- Holds a course as it is until the transaction ends: completions side by side with each other,
-- whoever changes what counts alone. In memory, so that a thousand students write to no common row.
create or replace function private.hold_course(course uuid, alone boolean) returns void
language plpgsql
as $$
declare
  key bigint := hashtextextended('course ' || course, 0);
begin
  if alone then
    perform pg_advisory_xact_lock(key);
  else
    perform pg_advisory_xact_lock_shared(key);
  end if;
end;
$$;

-- Counts every unfinished enrollment of a course anew, finishes those that have all there is, and
-- tells the students. For whatever changes which lessons count. Locks the course, its enrollments,
-- and the totals of those who finish, in the order of the students.
create or replace function private.reevaluate_course(course uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  student uuid;
  told jsonb;
begin
  perform private.hold_course(course, true);
  with done_modules as (
    insert into public.module_completions (user_id, module_id)
    select enrollments.user_id, required.module_id
    from public.enrollments
    join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.user_id, required.module_id
    having count(*) = count(done.lesson_id)
    on conflict do nothing
    returning user_id, module_id
  ), counted as (
    select enrollments.id, count(required.lesson_id) as required, count(done.lesson_id) as done
    from public.enrollments
    left join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.id
  ), changed as (
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    from counted
    where enrollments.id = counted.id
    returning enrollments.user_id
  )
  select jsonb_object_agg(changed.user_id, coalesce(news.module_ids, '[]'))
  into told
  from changed
  left join (
    select user_id, jsonb_agg(module_id) as module_ids from done_modules group by user_id
  ) as news on news.user_id = changed.user_id;

  for student in
    select user_id from public.enrollments
    where course_id = course and status = 'active' and progress = 100
    order by user_id
  loop
    perform private.tell_course_finished(
      student, course, private.finish_course(student, course) || private.earn_achievements(student)
    );
  end loop;
  perform private.tell_reevaluated(course, told);
end;
$$;

-- Tells students how far they are after a new count, and the staff that there was one: `students` has
-- the modules that each of them has done by it, by their ids.
create or replace function private.tell_reevaluated(course uuid, students jsonb) returns void
language sql
as $$
  select private.publish('course:' || course || ':staff', 'roster.reevaluated', '{}')
  where students is not null;
  select private.queue_live('homeroom.events', string_agg(
    jsonb_build_object(
      'topic', 'user:' || enrollment.user_id,
      'event', 'progress.reevaluated',
      'payload', jsonb_build_object('courseId', course, 'completedModuleIds', told.value)
        || private.progress_json(
          enrollment, courses.version, private.count_course(enrollment.user_id, course, null)
        )
    )::text,
    ','
  ))
  from jsonb_each(students) as told
  join public.enrollments as enrollment
    on enrollment.user_id = told.key::uuid and enrollment.course_id = course
  join public.courses on courses.id = course;
$$;

-- A lesson moved, or counts now, or doesn't any more, whoever changed the row. (`publish_course`
-- changes many, and calls for one count after the last: `homeroom.publishing`.)
create or replace function private.after_lesson_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct modules.course_id
    from (
      select id, module_id, is_published and is_required as counts from before
      except
      select id, module_id, is_published and is_required from after
      union
      (
        select id, module_id, is_published and is_required from after
        except
        select id, module_id, is_published and is_required from before
      )
    ) as changed
    join public.modules on modules.id = changed.module_id
    order by modules.course_id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_change
after update on public.lessons
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_lesson_change();

-- Lessons that came or went altogether, and modules that did.
create or replace function private.after_outline_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct courses.id
    from changed
    left join public.modules on modules.id::text = to_jsonb(changed) ->> 'module_id'
    join public.courses
      on courses.id = coalesce((to_jsonb(changed) ->> 'course_id')::uuid, modules.course_id)
    -- A lesson that didn't count changes nothing by coming or going.
    where coalesce((to_jsonb(changed) ->> 'is_required')::boolean, true)
      and (changed.is_published or tg_op = 'UPDATE')
    order by courses.id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_insert
after insert on public.lessons
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_lesson_delete
after delete on public.lessons
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_update
after update on public.modules
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_delete
after delete on public.modules
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();
