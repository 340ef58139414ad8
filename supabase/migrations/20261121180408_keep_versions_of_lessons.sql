set check_function_bodies = off;

CREATE TABLE "lesson_versions" (
	"lesson_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"fields" jsonb NOT NULL,
	CONSTRAINT "lesson_versions_once_per_version" PRIMARY KEY("lesson_id","version"),
	CONSTRAINT "lesson_versions_begin_at_zero" CHECK (version >= 0)
);

ALTER TABLE "lesson_versions" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "lesson_versions" ADD CONSTRAINT "lesson_versions_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_versions" ADD CONSTRAINT "lesson_versions_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "lesson_versions_by_course" ON "lesson_versions" USING btree ("course_id");

-- >>> access/reading.sql
-- What users read, row by row as the policies say. Writing is granted beside each table.
grant select on
  public.users,
  public.courses,
  public.modules,
  public.course_instructors,
  public.enrollments,
  public.lesson_completions,
  public.module_completions,
  public.certificates,
  public.achievements,
  public.user_achievements,
  public.learning_stats,
  public.notifications,
  public.discussion_threads,
  public.thread_messages,
  public.messages,
  public.workshop_registrations,
  public.student_presence,
  public.student_activity,
  public.course_reviews,
  public.payments,
  public.subscriptions,
  public.course_versions,
  public.course_drafts,
  public.lesson_drafts,
  public.lesson_versions,
  public.lesson_progress,
  public.quiz_attempts,
  public.point_entries,
  public.hidden_students,
  public.course_stats,
  public.course_activity_hours,
  public.announcements,
  public.announcement_courses
to authenticated;

-- A lesson's outline is public like its course; what it teaches (`content`, `video_url`) is read
-- through the API by those who take part.
grant select (
  id, module_id, title, kind, position, duration_minutes, is_published, is_required, created_at,
  updated_at, revision, removed_at
) on public.lessons to authenticated;
-- <<< access/reading.sql

-- >>> catalog/publish.sql
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
-- <<< catalog/publish.sql

-- >>> catalog/versions.sql
-- Keeps what the lessons of a course teach, as of a version: of those that students see, the ones
-- that are another than was kept last. A publication calls it before and after it writes, so that
-- what was changed past it (an import, psql) is kept too.
create or replace function private.keep_lessons(course uuid, as_of integer) returns void
language sql
as $$
  insert into public.lesson_versions (lesson_id, course_id, version, fields)
  select lesson.id, course, as_of, present.fields
  from public.modules
  join public.lessons as lesson on lesson.module_id = modules.id
  cross join lateral (select private.lesson_fields(lesson) as fields) as present
  where modules.course_id = course
    and modules.is_published
    and lesson.is_published
    and present.fields is distinct from (
      select latest.fields from public.lesson_versions as latest
      where latest.lesson_id = lesson.id
      order by latest.version desc
      limit 1
    )
  on conflict (lesson_id, version) do update set fields = excluded.fields;
$$;
-- <<< catalog/versions.sql

-- >>> leaderboard/ranking.sql
-- How many students on a board have more than a score: the counts of whole buckets above it, of
-- smaller ones inside its bucket, and of single scores inside the smallest; and those whose last
-- change isn't counted yet. A few hundred index entries at most, for a thousand students or a
-- million. Without sequential scans and workers: Postgres takes nearly all scores for not counted,
-- which is what `is distinct from` mostly means, and would read the table, or start two processes for
-- a look at an index that is nearly empty (9 ms of 9.2 among a million). (In plpgsql, as
-- `leaderboard_entry`: called a hundred times for one board, and Postgres 17 plans an SQL function
-- anew for each call.)
create or replace function private.students_above(on_board text, score integer) returns integer
language plpgsql stable
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
as $$
begin
  return (
    coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board and level = 2 and bucket > score >> 12
    ), 0)
    + coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board
        and level = 1
        and bucket > score >> 6
        and bucket < ((score >> 12) + 1) << 6
    ), 0)
    + coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board
        and level = 0
        and bucket > score
        and bucket < ((score >> 6) + 1) << 6
    ), 0)
    + (
      select
        count(*) filter (where changed.shown_score > students_above.score)
        - count(*) filter (where changed.counted_score > students_above.score)
      from private.leaderboard_scores as changed
      where changed.board = on_board
        and changed.shown_score is distinct from changed.counted_score
    )
  );
end;
$$;

-- How many students are shown on a board.
create or replace function private.students_on(on_board text) returns integer
language plpgsql stable
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
as $$
begin
  return (
    coalesce((
      select sum(students) from private.leaderboard_counts where board = on_board and level = 2
    ), 0)
    + (
      select
        count(*) filter (where shown_score is not null)
        - count(*) filter (where counted_score is not null)
      from private.leaderboard_scores
      where board = on_board and shown_score is distinct from counted_score
    )
  );
end;
$$;

-- Whether a student is shown in one of the first places of the global board.
create or replace function private.is_among_first(student uuid, places integer) returns boolean
language plpgsql stable
as $$
declare
  own integer;
  above integer;
begin
  select shown_score into own
  from private.leaderboard_scores
  where board = 'global' and user_id = student;
  select count(*) into above
  from (
    select 1
    from private.leaderboard_scores
    where board = 'global' and shown_score > own
    limit places
  ) as first;
  return own is not null and above < places;
end;
$$;

-- Whether there are so many on the global board.
create or replace function private.has_ranked_students(wanted integer) returns boolean
language plpgsql stable
as $$
begin
  perform 1
  from private.leaderboard_scores
  where board = 'global' and shown_score is not null
  offset wanted - 1
  limit 1;
  return found;
end;
$$;

-- An entry of a board as it is shown. `movement` is how many places the student has climbed since
-- the week began (negative: fallen); null for those who had no points then, and on the week's board.
create or replace function private.leaderboard_entry(
  own private.leaderboard_scores,
  rank integer
)
returns jsonb
language plpgsql stable
as $$
declare
  person record;
  before integer := case
    when own.week = private.week_of(now()) then own.score_before_week
    else own.score
  end;
  movement integer;
begin
  select
    users.id, users.first_name, users.last_name, users.avatar_url,
    stats.courses_completed, stats.certificates_earned
  into person
  from public.users
  left join public.learning_stats as stats on stats.user_id = users.id
  where users.id = own.user_id;
  if own.board not like 'week-%' and before <> 0 and exists (
    select 1 from private.leaderboard_counts where board = 'before-' || own.board
  ) then
    movement := 1 + private.students_above('before-' || own.board, before) - rank;
  end if;
  return jsonb_build_object(
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'rank', rank,
    'points', round(own.score / 10.0, 1),
    'coursesCompleted', coalesce(person.courses_completed, 0),
    'certificatesEarned', coalesce(person.certificates_earned, 0),
    'movement', movement
  );
end;
$$;

-- The first so many of a board, with ties: equal scores have equal ranks.
create or replace function private.leaderboard_top(on_board text, places integer) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      private.leaderboard_entry(first, first_rank::integer) order by first_rank, (first).user_id desc
    ),
    '[]'
  )
  from (
    select scores as first, rank() over (order by scores.shown_score desc) as first_rank
    from private.leaderboard_scores as scores
    where scores.board = on_board and scores.shown_score is not null
    order by scores.shown_score desc, scores.user_id desc
    limit places
  ) as firsts;
$$;

-- Where a student stands: `{ rank, points, isHidden, students, movement, neighbours }`, or with rank
-- null when they have no points there. A hidden student has the rank they would have. Neighbours
-- are the five before and the five after, and the student between them.
create or replace function private.leaderboard_standing(on_board text, student uuid)
returns jsonb
language sql stable
as $$
  with own as (
    select scores as row, scores.score, scores.shown_score, scores.user_id
    from private.leaderboard_scores as scores
    where board = on_board and user_id = student
  ), around as (
    select above.row from own cross join lateral (
      select scores as row from private.leaderboard_scores as scores
      where scores.board = on_board
        and (scores.shown_score, scores.user_id) > (own.score, own.user_id)
      order by scores.shown_score, scores.user_id
      limit 5
    ) as above
    union all
    select own.row from own
    union all
    select below.row from own cross join lateral (
      select scores as row from private.leaderboard_scores as scores
      where scores.board = on_board
        and (scores.shown_score, scores.user_id) < (own.score, own.user_id)
      order by scores.shown_score desc, scores.user_id desc
      limit 5
    ) as below
  ), ranked as (
    select
      (around.row).user_id,
      (around.row).score,
      private.leaderboard_entry(
        around.row, 1 + private.students_above(on_board, (around.row).score)
      ) as entry
    from around
  )
  select jsonb_build_object(
    'rank', (select entry -> 'rank' from ranked where user_id = student),
    'points', coalesce((select entry -> 'points' from ranked where user_id = student), '0'),
    'movement', (select entry -> 'movement' from ranked where user_id = student),
    'isHidden', exists (select 1 from public.hidden_students where user_id = student),
    'students', private.students_on(on_board),
    'neighbours', coalesce(
      (select jsonb_agg(entry order by score desc, user_id desc) from ranked), '[]'
    )
  );
$$;

-- Raises LEADERBOARD_FORBIDDEN for a scope that the caller may not see: a course they aren't in.
create or replace function private.check_scope(scope text) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not private.is_service()
    and not private.can_read_topic('leaderboard:' || scope, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
end;
$$;

-- The first hundred of a leaderboard as they were last told on its topic: with the topic's number, a
-- snapshot that its events go on from.
create or replace function public.leaderboard_top(scope text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_scope(scope);
  return coalesce(
    (
      select jsonb_build_object('entries', told.entries, 'students', told.students)
      from private.leaderboard_told as told
      where told.scope = leaderboard_top.scope
    ),
    jsonb_build_object(
      'entries', private.leaderboard_top(private.board_of(scope), 100),
      'students', private.students_on(private.board_of(scope))
    )
  );
end;
$$;
grant execute on function public.leaderboard_top(text) to authenticated;

-- Where the caller stands, exact at this moment.
create or replace function public.leaderboard_standing(scope text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_scope(scope);
  return private.leaderboard_standing(private.board_of(scope), auth.uid());
end;
$$;
grant execute on function public.leaderboard_standing(text) to authenticated;

-- The guide's view, and the rank. Runs as its owner: names and totals of all who are shown, nothing
-- else of anybody. Ask for the first rows only: they are read in the order of an index.
create or replace view public.leaderboard with (security_barrier = true) as
select
  person.id as user_id,
  person.first_name,
  person.last_name,
  person.avatar_url as avatar,
  coalesce(stats.courses_completed, 0) as courses_completed,
  coalesce(stats.certificates_earned, 0) as certificates_earned,
  coalesce(stats.total_time_spent, 0) as total_time_spent,
  coalesce(stats.average_score, 0) as average_score,
  round(scores.shown_score / 10.0, 1) as total_points,
  scores.rank
from (
  select user_id, shown_score, rank() over (order by shown_score desc) as rank
  from private.leaderboard_scores
  where board = 'global' and shown_score is not null
) as scores
join public.users as person on person.id = scores.user_id
left join public.learning_stats as stats on stats.user_id = scores.user_id
order by scores.shown_score desc, scores.user_id desc;
revoke all on public.leaderboard from anon, authenticated, service_role;
grant select on public.leaderboard to authenticated, service_role;
-- <<< leaderboard/ranking.sql

CREATE POLICY "staff see the earlier texts of the lessons of their courses" ON "lesson_versions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));
