set check_function_bodies = off;

-- >>> catalog/catalogue.sql
-- A course, as a card shows it. Asks nothing about rights: those who call it do.
create or replace function private.course_card(course public.courses) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', course.id,
      'slug', course.slug,
      'title', course.title,
      'summary', course.summary,
      'coverUrl', course.cover_url,
      'level', course.level,
      'category', course.category,
      'priceCents', course.price_cents,
      'currency', course.currency,
      'lessonCount', count(*),
      'durationMinutes', coalesce(sum(lessons.duration_minutes), 0),
      'instructors', coalesce((
        select jsonb_agg(
          jsonb_build_object(
            'id', teacher.id,
            'name', private.display_name(teacher.first_name, teacher.last_name),
            'avatarUrl', teacher.avatar_url
          )
          order by teacher.first_name, teacher.last_name, teacher.id
        )
        from public.course_instructors as teaching
        join public.users as teacher on teacher.id = teaching.user_id
        where teaching.course_id = course.id
      ), '[]'),
      'isEnrolled', exists (
        select from public.enrollments
        where enrollments.course_id = course.id
          and enrollments.user_id = auth.uid()
          and enrollments.status <> 'cancelled'
      ),
      'createdAt', private.iso_time(course.created_at)
    )
    from public.modules
    join public.lessons on lessons.module_id = modules.id
    where modules.course_id = course.id and modules.is_published and lessons.is_published
  );
end;
$$;

-- The catalogue: the cards of the published courses, newest first, after the one that was created at
-- `after_time` with the id `after_id`. For everybody, also without an account: it says what may be
-- learned here and who teaches it, and nothing of those who learn. At most 101 at once.
create or replace function public.published_courses(
  after_time timestamptz default null,
  after_id uuid default null,
  page_size integer default 20
)
returns setof jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select private.course_card(course)
  from public.courses as course
  where course.status = 'published'
    and (after_time is null or (course.created_at, course.id) < (after_time, after_id))
  order by course.created_at desc, course.id desc
  limit least(page_size, 101);
end;
$$;
grant execute on function public.published_courses(timestamptz, uuid, integer)
to anon, authenticated;

-- A course by its id or its slug, with the titles of its modules and lessons: a published one for
-- everybody, also without an account; any other for those who take part in it. Lessons' content isn't
-- in it. Raises COURSE_NOT_FOUND.
create or replace function public.course_page(
  course_id uuid default null,
  course_slug text default null
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  course public.courses;
begin
  if course_page.course_id is null then
    select * into course from public.courses where slug = course_slug;
  else
    select * into course from public.courses where id = course_page.course_id;
  end if;
  if course.id is null or not (
    course.status = 'published' or private.is_course_member(course.id, auth.uid())
  ) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return private.course_card(course) || jsonb_build_object(
    'description', course.description,
    'version', course.version,
    'modules', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'id', modules.id,
          'title', modules.title,
          'summary', modules.summary,
          'lessons', coalesce((
            select jsonb_agg(
              private.lesson_card(lessons) - 'moduleId' order by lessons.position, lessons.id
            )
            from public.lessons
            where lessons.module_id = modules.id and lessons.is_published
          ), '[]')
        )
        order by modules.position, modules.id
      )
      from public.modules
      where modules.course_id = course.id and modules.is_published
    ), '[]')
  );
end;
$$;
grant execute on function public.course_page(uuid, text) to anon, authenticated;
-- <<< catalog/catalogue.sql

ALTER POLICY "users react to what they can read and is still there" ON "thread_message_reactions" TO authenticated WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.thread_messages as message where message.id = message_id and message.deleted_at is null and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id)));

ALTER POLICY "members of a course see the messages of its threads" ON "thread_messages" TO authenticated USING ((select true from public.discussion_threads as thread where thread.id = thread_id));

ALTER POLICY "members of a course write in its open threads in their own name" ON "thread_messages" TO authenticated WITH CHECK (sender_id = (select auth.uid()) and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id));

ALTER POLICY "senders edit their messages in open threads" ON "thread_messages" TO authenticated USING (sender_id = (select auth.uid()) and deleted_at is null and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id)) WITH CHECK (sender_id = (select auth.uid()));
