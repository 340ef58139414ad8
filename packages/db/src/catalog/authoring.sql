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
