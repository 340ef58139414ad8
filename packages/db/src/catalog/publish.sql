-- Publishes what the authors of a course have changed: all of it in one transaction, as one version.
-- Students who are in the course see it at once (`content.published` on `course:<id>`); who hasn't
-- finished is counted against it from now on (requirements.sql). Gives `{ version, changes }`; when
-- nothing had changed, the version that there was. Locks the course.
create or replace function public.publish_course(course_id uuid, note text default '')
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course public.courses;
  modules_before jsonb;
  lessons_before jsonb;
  counted_before text;
  counted_after text;
  changes jsonb;
begin
  perform private.check_author(course_id);
  perform private.hold_course(course_id, true);
  select * into course from public.courses where id = course_id for no key update;
  modules_before := private.course_modules(course_id, false);
  lessons_before := private.published_lessons(course_id);
  counted_before := private.counting_lessons(course_id);
  if course.status <> 'draft' then
    perform private.keep_lessons(course_id, course.version);
  end if;

  perform set_config('homeroom.publishing', 'on', true);
  perform private.apply_details(course_id);
  perform private.apply_lessons(course_id);
  perform private.apply_outline(course_id);
  perform set_config('homeroom.publishing', '', true);

  counted_after := private.counting_lessons(course_id);
  changes := private.content_changes(
    course, (select changed from public.courses as changed where changed.id = course_id),
    modules_before, private.course_modules(course_id, false),
    lessons_before, private.published_lessons(course_id)
  );
  if course.status <> 'published' then
    changes := '[{"kind": "course_published"}]'::jsonb || changes;
  end if;
  if changes = '[]' then
    return jsonb_build_object('version', course.version, 'changes', changes);
  end if;
  update public.courses as target
  set
    version = target.version + 1,
    status = 'published',
    published_at = coalesce(target.published_at, now())
  where target.id = course_id;
  insert into public.course_versions (course_id, version, note, changes, published_by)
  values (course_id, course.version + 1, coalesce(note, ''), changes, auth.uid());
  perform private.keep_lessons(course_id, course.version + 1);
  perform private.tell_published(course_id, modules_before, lessons_before);
  if counted_before is distinct from counted_after then
    perform private.reevaluate_course(course_id);
  end if;
  return jsonb_build_object('version', course.version + 1, 'changes', changes);
end;
$$;
grant execute on function public.publish_course(uuid, text) to authenticated, service_role;

-- The lessons that count, as one text to compare.
create or replace function private.counting_lessons(course uuid) returns text
language sql stable
as $$
  select string_agg(lesson_id || module_id::text, ',' order by lesson_id)
  from private.required_lessons(course);
$$;

-- Writes the draft of the course's own texts.
create or replace function private.apply_details(course uuid) returns void
language sql
as $$
  update public.courses
  set
    slug = coalesce(draft.details ->> 'slug', slug),
    title = coalesce(draft.details ->> 'title', title),
    summary = coalesce(draft.details ->> 'summary', summary),
    description = coalesce(draft.details ->> 'description', description),
    cover_url = case when draft.details ? 'coverUrl' then draft.details ->> 'coverUrl' else cover_url end,
    category = coalesce(draft.details ->> 'category', category),
    level = coalesce(draft.details ->> 'level', level),
    price_cents = coalesce((draft.details ->> 'priceCents')::integer, price_cents),
    currency = coalesce(draft.details ->> 'currency', currency)
  from public.course_drafts as draft
  where courses.id = course and draft.course_id = course and draft.details is not null;
  update public.course_drafts set details = null where course_id = course and details is not null;
$$;

-- Writes the drafts of the lessons. What a lesson teaches has a revision, which goes up.
create or replace function private.apply_lessons(course uuid) returns void
language sql
as $$
  update public.lessons as lesson
  set
    title = wanted.title,
    kind = wanted.kind,
    content = wanted.content,
    video_url = wanted."videoUrl",
    captions_url = wanted."captionsUrl",
    attachments = wanted.attachments,
    -- A JSON null is none.
    quiz = nullif(wanted.quiz, 'null'),
    duration_minutes = wanted."durationMinutes",
    is_published = wanted."isPublished",
    is_required = wanted."isRequired",
    revision = lesson.revision + (
      (lesson.title, lesson.kind, lesson.content, lesson.video_url, lesson.captions_url,
       lesson.attachments, lesson.quiz)
      is distinct from
      (wanted.title, wanted.kind, wanted.content, wanted."videoUrl", wanted."captionsUrl",
       wanted.attachments, nullif(wanted.quiz, 'null'))
    )::integer
  from public.lesson_drafts as draft
  cross join lateral (
    select private.lesson_fields(live) || draft.edit as fields
    from public.lessons as live where live.id = draft.lesson_id
  ) as merged
  cross join lateral jsonb_to_record(merged.fields) as wanted (
    title text, kind text, content text, "videoUrl" text, "captionsUrl" text, attachments jsonb,
    quiz jsonb, "durationMinutes" integer, "isPublished" boolean, "isRequired" boolean
  )
  where draft.course_id = course
    and draft.edit is not null
    and lesson.id = draft.lesson_id
    and lesson.removed_at is null;
  update public.lesson_drafts set edit = null where course_id = course and edit is not null;
$$;

-- Writes the draft of the outline: places, titles of modules, and what has been taken out.
create or replace function private.apply_outline(course uuid) returns void
language plpgsql
as $$
declare
  outline jsonb := (select drafts.outline from public.course_drafts as drafts where course_id = course);
begin
  outline := coalesce(outline, private.course_modules(course, true));
  -- Out of the way first: each place can be taken once only.
  update public.modules
  set position = -numbered.place
  from (
    select id, row_number() over (order by id) as place from public.modules where course_id = course
  ) as numbered
  where modules.id = numbered.id;
  update public.lessons
  set position = -numbered.place
  from (
    select lessons.id, row_number() over (order by lessons.id) as place
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where modules.course_id = course
  ) as numbered
  where lessons.id = numbered.id;

  update public.modules
  set
    position = wanted.place,
    title = wanted.module ->> 'title',
    summary = coalesce(wanted.module ->> 'summary', ''),
    is_published = true,
    removed_at = null
  from jsonb_array_elements(outline) with ordinality as wanted (module, place)
  where modules.id = (wanted.module ->> 'id')::uuid;
  update public.lessons
  set module_id = wanted.module_id, position = wanted.place
  from (
    select (module ->> 'id')::uuid as module_id, named.lesson_id, named.place
    from jsonb_array_elements(outline) as module
    cross join jsonb_array_elements_text(module -> 'lessonIds')
      with ordinality as named (lesson_id, place)
  ) as wanted
  where lessons.id = wanted.lesson_id::uuid and lessons.removed_at is null;

  update public.lessons
  set is_published = false, removed_at = now()
  from public.modules
  where modules.id = lessons.module_id
    and modules.course_id = course
    and lessons.position < 0
    and lessons.removed_at is null;
  update public.modules
  set is_published = false, removed_at = now()
  where course_id = course and position < 0 and removed_at is null;
  update public.course_drafts as drafts set outline = null where course_id = course;
end;
$$;

-- What has changed between two states of a course: `[{ kind, lessonId | moduleId, title }]`.
create or replace function private.content_changes(
  course_before public.courses,
  course_after public.courses,
  modules_before jsonb,
  modules_after jsonb,
  lessons_before jsonb,
  lessons_after jsonb
)
returns jsonb
language sql stable
as $$
  with lesson as (
    select
      coalesce(new.key, old.key) as id,
      old.value as old,
      new.value as new
    from jsonb_each(lessons_before) as old
    full join jsonb_each(lessons_after) as new on new.key = old.key
  ), module as (
    select coalesce(new.value, old.value) ->> 'id' as id, old.value as old, new.value as new
    from jsonb_array_elements(modules_before) as old
    full join jsonb_array_elements(modules_after) as new
      on new.value -> 'id' = old.value -> 'id'
  ), change as (
    select 1 as part, 'course_edited' as kind, null as subject, null as id, null as title
    where to_jsonb(course_before) - 'updated_at' <> to_jsonb(course_after) - 'updated_at'
    union all
    select 2, 'module_added', 'moduleId', id, new ->> 'title' from module where old is null
    union all
    select 3, 'module_removed', 'moduleId', id, old ->> 'title' from module where new is null
    union all
    select 4, 'module_edited', 'moduleId', id, new ->> 'title' from module
    where (old ->> 'title', old ->> 'summary') <> (new ->> 'title', new ->> 'summary')
    union all
    select 5, 'lesson_added', 'lessonId', id, new ->> 'title' from lesson where old is null
    union all
    select 6, 'lesson_removed', 'lessonId', id, old ->> 'title' from lesson where new is null
    union all
    select 7, 'lesson_edited', 'lessonId', id, new ->> 'title' from lesson
    where (old -> 'revision', old -> 'durationMinutes')
      <> (new -> 'revision', new -> 'durationMinutes')
    union all
    select
      8, case when (new ->> 'isRequired')::boolean then 'lesson_required' else 'lesson_optional' end,
      'lessonId', id, new ->> 'title'
    from lesson where old -> 'isRequired' <> new -> 'isRequired'
    union all
    select 9, 'lesson_moved', 'lessonId', id, new ->> 'title'
    from lesson where old -> 'moduleId' <> new -> 'moduleId'
    union all
    select 10, 'reordered', null, null, null
    where private.common_order(modules_before, modules_after)
      <> private.common_order(modules_after, modules_before)
  )
  select coalesce(
    jsonb_agg(
      jsonb_strip_nulls(
        jsonb_build_object('kind', kind, 'title', title)
          || case when subject is null then '{}' else jsonb_build_object(subject, id) end
      )
      order by part, title, id
    ),
    '[]'
  )
  from change;
$$;

-- The order of modules and lessons in one outline, as far as the other has them in the same module.
create or replace function private.common_order(outline jsonb, other jsonb) returns text
language sql stable
as $$
  select coalesce(string_agg(named.id, ',' order by listed.place, named.place), '')
  from jsonb_array_elements(outline) with ordinality as listed (module, place)
  cross join lateral (
    select module ->> 'id' as id, 0 as place
    union all
    select lesson, place
    from jsonb_array_elements_text(module -> 'lessonIds') with ordinality as lessons (lesson, place)
  ) as named
  where exists (
    select 1 from jsonb_array_elements(other) as there
    where there -> 'id' = listed.module -> 'id'
      and (named.place = 0 or there -> 'lessonIds' ? named.id)
  );
$$;

-- Tells those in a course what was published: the lessons that are new or another, and the outline
-- if it is another. `isWhole` false with null parts: too much for an event, load it.
create or replace function private.tell_published(
  course_id uuid,
  modules_before jsonb,
  lessons_before jsonb
)
returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  modules jsonb := private.course_modules(course_id, false);
  payload jsonb;
begin
  select jsonb_build_object(
    'courseId', courses.id,
    'version', courses.version,
    'title', courses.title,
    'note', published.note,
    'changes', published.changes,
    'publishedAt', private.iso_time(published.published_at),
    'modules', case when modules <> modules_before then modules end,
    'lessons', coalesce((
      select jsonb_agg(lesson.value)
      from jsonb_each(private.published_lessons(course_id)) as lesson
      where lesson.value is distinct from lessons_before -> lesson.key
    ), '[]')
  )
  into payload
  from public.courses
  join public.course_versions as published
    on published.course_id = courses.id and published.version = courses.version
  where courses.id = course_id;
  -- Realtime carries 256 kB at most on the smallest plans.
  if octet_length(payload::text) > 100000 then
    payload := payload || '{"changes": [], "modules": null, "lessons": null}';
  end if;
  perform private.publish('course:' || course_id, 'content.published', payload);
end;
$$;

-- Takes a course out of the catalogue, or puts it back. Who is enrolled keeps it.
create or replace function public.set_course_archived(course_id uuid, archived boolean)
returns text
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  status text;
begin
  perform private.check_author(course_id);
  update public.courses as course
  set status = case when archived then 'archived' else 'published' end
  where course.id = course_id and course.version > 0 and course.status <> 'draft'
  returning course.status into status;
  if not found then
    raise exception 'COURSE_NOT_PUBLISHED' using errcode = 'P0001';
  end if;
  return status;
end;
$$;
grant execute on function public.set_course_archived(uuid, boolean) to authenticated;
