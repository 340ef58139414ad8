set check_function_bodies = off;

CREATE TABLE "course_drafts" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"details" jsonb,
	"details_version" integer DEFAULT 0 NOT NULL,
	"outline" jsonb,
	"outline_version" integer DEFAULT 0 NOT NULL,
	"updated_by" uuid,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_drafts_are_bounded" CHECK (octet_length(details::text) <= 262144 and octet_length(outline::text) <= 1048576)
);

ALTER TABLE "course_drafts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_versions" (
	"course_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"changes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"published_by" uuid,
	"published_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_versions_count_up" PRIMARY KEY("course_id","version"),
	CONSTRAINT "course_versions_begin_at_one" CHECK (version >= 1),
	CONSTRAINT "course_versions_have_a_short_note" CHECK (char_length(note) <= 2000)
);

ALTER TABLE "course_versions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lesson_drafts" (
	"lesson_id" uuid PRIMARY KEY NOT NULL,
	"course_id" uuid NOT NULL,
	"edit" jsonb,
	"version" integer DEFAULT 0 NOT NULL,
	"updated_by" uuid,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lesson_drafts_are_bounded" CHECK (octet_length(edit::text) <= 1048576)
);

ALTER TABLE "lesson_drafts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "hidden_students" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "hidden_students" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_counts" (
	"board" text NOT NULL,
	"level" integer NOT NULL,
	"bucket" integer NOT NULL,
	"students" integer NOT NULL,
	CONSTRAINT "leaderboard_counts_pk" PRIMARY KEY("board","level","bucket")
);

ALTER TABLE "private"."leaderboard_counts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_followers" (
	"user_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"told" jsonb,
	"until" timestamp with time zone NOT NULL,
	CONSTRAINT "leaderboard_followers_pk" PRIMARY KEY("scope","user_id")
);

ALTER TABLE "private"."leaderboard_followers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_scores" (
	"board" text NOT NULL,
	"user_id" uuid NOT NULL,
	"score" integer DEFAULT 0 NOT NULL,
	"shown_score" integer,
	"counted_score" integer,
	"week" date NOT NULL,
	"score_before_week" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "leaderboard_scores_pk" PRIMARY KEY("board","user_id")
);

ALTER TABLE "private"."leaderboard_scores" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_told" (
	"scope" text PRIMARY KEY NOT NULL,
	"board" text NOT NULL,
	"entries" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"students" integer DEFAULT 0 NOT NULL,
	"is_stale" boolean DEFAULT false NOT NULL,
	"told_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "private"."leaderboard_told" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "point_entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "point_entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" uuid NOT NULL,
	"course_id" uuid,
	"reason" text NOT NULL,
	"subject" text NOT NULL,
	"turn" integer DEFAULT 1 NOT NULL,
	"tenths" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "point_entries_once_per_reason" UNIQUE("user_id","reason","subject","turn"),
	CONSTRAINT "point_entries_have_a_known_reason" CHECK (reason in ('course', 'certificate', 'time', 'quiz', 'achievement', 'certificate_revoked'))
);

ALTER TABLE "point_entries" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lesson_progress" (
	"user_id" uuid NOT NULL,
	"lesson_id" uuid NOT NULL,
	"place" real DEFAULT 0 NOT NULL,
	"time_spent_seconds" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"best_score" numeric(5, 2),
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lesson_progress_once_per_student" PRIMARY KEY("user_id","lesson_id"),
	CONSTRAINT "lesson_progress_has_a_place_in_the_lesson" CHECK (place between 0 and 1),
	CONSTRAINT "lesson_progress_counts_up" CHECK (time_spent_seconds >= 0 and attempts >= 0),
	CONSTRAINT "lesson_progress_score_is_a_percentage" CHECK (best_score between 0 and 100)
);

ALTER TABLE "lesson_progress" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "quiz_attempts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"lesson_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"revision" integer NOT NULL,
	"answers" jsonb NOT NULL,
	"results" jsonb NOT NULL,
	"score" numeric(5, 2) NOT NULL,
	"is_passed" boolean NOT NULL,
	"submitted_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "quiz_attempts_have_a_number" UNIQUE("user_id","lesson_id","number"),
	CONSTRAINT "quiz_attempts_score_is_a_percentage" CHECK (score between 0 and 100),
	CONSTRAINT "quiz_attempts_count_up" CHECK (number >= 1)
);

ALTER TABLE "quiz_attempts" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "lessons" DROP CONSTRAINT "lessons_take_no_negative_time";

ALTER TABLE "learning_stats" DROP CONSTRAINT "learning_stats_count_up";

ALTER TABLE "courses" ADD COLUMN "version" integer DEFAULT 0 NOT NULL;

ALTER TABLE "lessons" ADD COLUMN "captions_url" text;

ALTER TABLE "lessons" ADD COLUMN "attachments" jsonb DEFAULT '[]'::jsonb NOT NULL;

ALTER TABLE "lessons" ADD COLUMN "quiz" jsonb;

ALTER TABLE "lessons" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;

ALTER TABLE "lessons" ADD COLUMN "removed_at" timestamp with time zone;

ALTER TABLE "modules" ADD COLUMN "removed_at" timestamp with time zone;

ALTER TABLE "enrollments" ADD COLUMN "course_version" integer;

ALTER TABLE "enrollments" ADD COLUMN "required_count" integer;

ALTER TABLE "learning_stats" ADD COLUMN "lessons_completed" integer DEFAULT 0 NOT NULL;

ALTER TABLE "learning_stats" ADD COLUMN "time_spent_seconds" integer DEFAULT 0 NOT NULL;

ALTER TABLE "learning_stats" ADD COLUMN "helpful_answers" integer DEFAULT 0 NOT NULL;

ALTER TABLE "learning_stats" ADD COLUMN "longest_streak_days" integer DEFAULT 0 NOT NULL;

ALTER TABLE "learning_stats" ADD COLUMN "last_active_day" date;

ALTER TABLE "learning_stats" ADD COLUMN "time_reported_at" timestamp with time zone;

ALTER TABLE "course_drafts" ADD CONSTRAINT "course_drafts_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_drafts" ADD CONSTRAINT "course_drafts_updated_by_users_id_fk" FOREIGN KEY ("updated_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_versions" ADD CONSTRAINT "course_versions_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_versions" ADD CONSTRAINT "course_versions_published_by_users_id_fk" FOREIGN KEY ("published_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_updated_by_users_id_fk" FOREIGN KEY ("updated_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "hidden_students" ADD CONSTRAINT "hidden_students_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."leaderboard_followers" ADD CONSTRAINT "leaderboard_followers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."leaderboard_scores" ADD CONSTRAINT "leaderboard_scores_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "point_entries" ADD CONSTRAINT "point_entries_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "point_entries" ADD CONSTRAINT "point_entries_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "lesson_progress" ADD CONSTRAINT "lesson_progress_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_progress" ADD CONSTRAINT "lesson_progress_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "quiz_attempts" ADD CONSTRAINT "quiz_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "quiz_attempts" ADD CONSTRAINT "quiz_attempts_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "lesson_drafts_by_course" ON "lesson_drafts" USING btree ("course_id");

CREATE INDEX "leaderboard_followers_by_user" ON "private"."leaderboard_followers" USING btree ("user_id");

CREATE INDEX "leaderboard_scores_by_score" ON "private"."leaderboard_scores" USING btree ("board","shown_score","user_id");

CREATE INDEX "leaderboard_scores_to_count" ON "private"."leaderboard_scores" USING btree ("board") WHERE shown_score is distinct from counted_score;

CREATE INDEX "leaderboard_scores_by_user" ON "private"."leaderboard_scores" USING btree ("user_id");

CREATE INDEX "point_entries_newest_first" ON "point_entries" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "point_entries_by_course" ON "point_entries" USING btree ("course_id");

CREATE INDEX "lesson_progress_by_lesson" ON "lesson_progress" USING btree ("lesson_id");

CREATE INDEX "quiz_attempts_by_lesson" ON "quiz_attempts" USING btree ("lesson_id","submitted_at" DESC NULLS LAST);

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_take_a_day_at_most" CHECK (duration_minutes between 0 and 1440);

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_have_bounded_content" CHECK (octet_length(content) <= 262144);

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_link_by_https" CHECK (video_url ~ '^https://' and captions_url ~ '^https://');

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_of_kind_quiz_have_one" CHECK (kind <> 'quiz' or not is_published or quiz is not null);

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_removed_are_not_published" CHECK (removed_at is null or not is_published);

ALTER TABLE "modules" ADD CONSTRAINT "modules_removed_are_not_published" CHECK (removed_at is null or not is_published);

ALTER TABLE "learning_stats" ADD CONSTRAINT "learning_stats_count_up" CHECK (lessons_completed >= 0 and courses_completed >= 0 and certificates_earned >= 0 and time_spent_seconds >= 0 and total_time_spent >= 0 and helpful_answers >= 0 and current_streak_days >= 0 and longest_streak_days >= current_streak_days);

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
  public.workshops,
  public.workshop_registrations,
  public.student_presence,
  public.student_activity,
  public.course_reviews,
  public.payments,
  public.subscriptions,
  public.course_versions,
  public.course_drafts,
  public.lesson_drafts,
  public.lesson_progress,
  public.quiz_attempts,
  public.point_entries,
  public.hidden_students
to authenticated;

-- A lesson's outline is public like its course; what it teaches (`content`, `video_url`) is read
-- through the API by those who take part.
grant select (
  id, module_id, title, kind, position, duration_minutes, is_published, is_required, created_at,
  updated_at, revision, removed_at
) on public.lessons to authenticated;
-- <<< access/reading.sql

-- >>> achievements/earn.sql
-- What can be earned. Declared as data: a `rule` names totals, and how much of each it takes;
-- `rankAtMost` is a place on the global leaderboard, `amongAtLeast` how many must be on it.
insert into public.achievements (key, title, description, icon, points, rule)
values
  ('first_lesson', 'First step', 'Finish your first lesson.', 'footprints', 5, '{"lessonsCompleted": 1}'),
  ('first_course', 'From start to finish', 'Finish a whole course.', 'graduation-cap', 25, '{"coursesCompleted": 1}'),
  ('five_courses', 'Well read', 'Finish five courses.', 'library', 100, '{"coursesCompleted": 5}'),
  ('seven_day_streak', 'Seven days running', 'Learn on seven days in a row.', 'flame', 50, '{"streakDays": 7}'),
  ('top_ten', 'Among the first ten', 'Reach the first ten of the leaderboard.', 'trophy', 50, '{"rankAtMost": 10, "amongAtLeast": 20}'),
  ('helpful_answer', 'A helping hand', 'Have an answer of yours marked as helpful.', 'hand-helping', 10, '{"helpfulAnswers": 1}'),
  ('ten_helpful_answers', 'Pillar of the class', 'Have ten answers of yours marked as helpful.', 'heart-handshake', 50, '{"helpfulAnswers": 10}')
on conflict (key) do update
set
  title = excluded.title,
  description = excluded.description,
  icon = excluded.icon,
  points = excluded.points,
  rule = excluded.rule;

-- Whether a student's totals satisfy a rule: all that it names. A name that isn't known is never
-- satisfied.
create or replace function private.is_earned(rule jsonb, stats public.learning_stats)
returns boolean
language sql stable
as $$
  select count(*) > 0 and bool_and(case name
    when 'lessonsCompleted' then stats.lessons_completed >= least::integer
    when 'coursesCompleted' then stats.courses_completed >= least::integer
    when 'streakDays' then stats.current_streak_days >= least::integer
    when 'helpfulAnswers' then stats.helpful_answers >= least::integer
    when 'rankAtMost' then private.is_among_first(stats.user_id, least::integer)
    when 'amongAtLeast' then private.has_ranked_students(least::integer)
    else false
  end)
  from jsonb_each_text(rule) as wanted (name, least);
$$;

-- Gives a student what their totals have earned, each once, with its points, and publishes
-- `achievement.earned` for each. Gives `{ achievements: [{ key, title, description, icon, points,
-- earnedAt }], points }`, the last in tenths. The caller notifies.
create or replace function private.earn_achievements(student uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  achievements jsonb;
begin
  with new as (
    insert into public.user_achievements (user_id, achievement_key)
    select student, achievements.key
    from public.learning_stats as stats, public.achievements
    where stats.user_id = student
      and not exists (
        select 1 from public.user_achievements as had
        where had.user_id = student and had.achievement_key = achievements.key
      )
      and private.is_earned(achievements.rule, stats)
    on conflict do nothing
    returning achievement_key, earned_at
  )
  select jsonb_agg(
    jsonb_build_object(
      'key', declared.key,
      'title', declared.title,
      'description', declared.description,
      'icon', declared.icon,
      'points', declared.points,
      'earnedAt', private.iso_time(new.earned_at)
    )
    order by declared.points, declared.key
  )
  into achievements
  from new
  join public.achievements as declared on declared.key = new.achievement_key;
  if achievements is null then
    return '{"achievements": [], "points": 0}';
  end if;
  perform private.publish(
    'user:' || student, 'achievement.earned', jsonb_build_object('achievement', achievement)
  )
  from jsonb_array_elements(achievements) as achievement;
  return jsonb_build_object(
    'achievements', achievements,
    'points', private.award_points(student, (
      select jsonb_agg(jsonb_build_object(
        'reason', 'achievement',
        'subject', achievement ->> 'key',
        'tenths', (achievement ->> 'points')::integer * 10
      ))
      from jsonb_array_elements(achievements) as achievement
    ))
  );
end;
$$;

-- Counts answers of somebody's that were marked as helpful (or, with -1, no longer are), and gives
-- what that earns. For the discussions. Locks the person's totals.
create or replace function private.count_helpful_answers(person uuid, change integer) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  earned jsonb;
begin
  insert into public.learning_stats as stats (user_id, helpful_answers)
  values (person, greatest(change, 0))
  on conflict (user_id) do update
  set helpful_answers = greatest(stats.helpful_answers + change, 0);
  earned := private.earn_achievements(person);
  if earned -> 'achievements' <> '[]' then
    perform private.tell_achievements(person, null, earned -> 'achievements');
  end if;
end;
$$;
-- <<< achievements/earn.sql

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

-- >>> catalog/outline.sql
-- A lesson, as the outline of its course shows it.
create or replace function private.lesson_card(lesson public.lessons) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', lesson.id,
    'moduleId', lesson.module_id,
    'title', lesson.title,
    'kind', lesson.kind,
    'durationMinutes', lesson.duration_minutes,
    'isRequired', lesson.is_required,
    'revision', lesson.revision
  );
$$;

-- The modules of a course with the ids of their lessons, all in their order. `drafts` brings those
-- that students don't see, as the rows have them.
create or replace function private.course_modules(course uuid, drafts boolean) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', modules.id,
        'title', modules.title,
        'summary', modules.summary,
        'lessonIds', coalesce((
          select jsonb_agg(lessons.id order by lessons.position)
          from public.lessons
          where lessons.module_id = modules.id
            and lessons.removed_at is null
            and (drafts or lessons.is_published)
        ), '[]')
      )
      order by modules.position
    ),
    '[]'
  )
  from public.modules
  where modules.course_id = course
    and modules.removed_at is null
    and (drafts or modules.is_published);
$$;

-- The lessons of a course that students see, by their ids.
create or replace function private.published_lessons(course uuid) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_object_agg(lessons.id, private.lesson_card(lessons)), '{}')
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course and modules.is_published and lessons.is_published;
$$;

-- What a student of a course sees of its content: `{ courseId, version, title, modules, lessons }`.
-- Raises COURSE_NOT_FOUND for those who take no part.
create or replace function public.course_content(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_course_member(course_content.course_id, auth.uid()) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return (
    select jsonb_build_object(
      'courseId', courses.id,
      'version', courses.version,
      'title', courses.title,
      'modules', private.course_modules(courses.id, false),
      'lessons', coalesce((
        select jsonb_agg(lesson.value)
        from jsonb_each(private.published_lessons(courses.id)) as lesson
      ), '[]')
    )
    from public.courses
    where courses.id = course_content.course_id
  );
end;
$$;
grant execute on function public.course_content(uuid) to authenticated;
-- <<< catalog/outline.sql

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

-- >>> catalog/requirements.sql
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
  told text;
begin
  perform private.hold_course(course, true);
  insert into public.module_completions (user_id, module_id)
  select enrollments.user_id, required.module_id
  from public.enrollments
  join private.required_lessons(course) as required on true
  left join public.lesson_completions as done
    on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
  where enrollments.course_id = course and enrollments.status = 'active'
  group by enrollments.user_id, required.module_id
  having count(*) = count(done.lesson_id)
  on conflict do nothing;

  with counted as (
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
    returning enrollments.user_id, counted.done, counted.required
  )
  select string_agg(
    jsonb_build_object(
      'topic', 'user:' || user_id,
      'event', 'progress.reevaluated',
      'payload', jsonb_build_object(
        'courseId', course,
        'courseVersion', (select version from public.courses where id = course),
        'doneCount', done,
        'requiredCount', required,
        'progressPercent', floor(100.0 * done / greatest(required, 1))
      )
    )::text,
    ','
  )
  into told
  from changed;
  perform private.queue_live('homeroom.events', told);

  for student in
    select user_id from public.enrollments
    where course_id = course and status = 'active' and progress = 100
    order by user_id
  loop
    perform private.tell_course_finished(
      student, course, private.finish_course(student, course) || private.earn_achievements(student)
    );
  end loop;
end;
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
-- <<< catalog/requirements.sql

-- >>> certificates/functions.sql
-- A certificate as its owner sees it, and as events tell it.
create or replace function private.certificate_json(certificate public.certificates) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', certificate.id,
    'courseId', certificate.course_id,
    'serialNumber', certificate.serial_number,
    'issuedAt', private.iso_time(certificate.issued_at),
    'revokedAt', private.iso_time(certificate.revoked_at),
    'revocationReason', certificate.revocation_reason
  );
$$;
grant execute on function private.certificate_json(public.certificates) to authenticated;

-- Says of a serial number whether we issued it, to whom and for what, and whether it still holds. For
-- everybody, also without an account: who has the number has been shown the certificate. Null for a
-- number that isn't ours.
create or replace function public.verify_certificate(serial text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.certificate_json(certificate) - 'id' || jsonb_build_object(
    'isValid', certificate.revoked_at is null,
    'studentName', private.display_name(person.first_name, person.last_name),
    'courseTitle', course.title,
    'instructors', coalesce((
      select jsonb_agg(private.display_name(teacher.first_name, teacher.last_name) order by teacher.id)
      from public.course_instructors as teaching
      join public.users as teacher on teacher.id = teaching.user_id
      where teaching.course_id = course.id
    ), '[]')
  )
  from public.certificates as certificate
  join public.users as person on person.id = certificate.user_id
  join public.courses as course on course.id = certificate.course_id
  where certificate.serial_number = upper(trim(serial));
$$;
grant execute on function public.verify_certificate(text) to anon, authenticated;

-- Takes a certificate back, with a reason that everybody may read, and the points that it gave. For
-- the staff of its course. A second time changes nothing. Tells its owner.
create or replace function public.revoke_certificate(certificate_id uuid, reason text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  certificate public.certificates;
begin
  select * into certificate from public.certificates where id = certificate_id for no key update;
  if not found or not (
    private.is_service() or private.is_course_staff(certificate.course_id, auth.uid())
  ) then
    raise exception 'CERTIFICATE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if certificate.revoked_at is not null then
    return private.certificate_json(certificate);
  end if;
  update public.certificates
  set revoked_at = now(), revocation_reason = reason
  where id = certificate_id
  returning * into certificate;
  update public.learning_stats
  set certificates_earned = certificates_earned - 1
  where user_id = certificate.user_id;
  perform private.award_points(certificate.user_id, jsonb_build_array(jsonb_build_object(
    'course', certificate.course_id,
    'reason', 'certificate_revoked',
    'subject', certificate.id,
    'tenths', -500
  )));
  perform private.publish(
    'user:' || certificate.user_id,
    'certificate.revoked',
    jsonb_build_object('certificate', private.certificate_json(certificate))
  );
  return private.certificate_json(certificate);
end;
$$;
grant execute on function public.revoke_certificate(uuid, text) to authenticated, service_role;
-- <<< certificates/functions.sql

-- >>> jobs.sql
-- The list of jobs.ts for pg_cron, where it is installed; a job of the same name is replaced.
-- Elsewhere the stack runs them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()');
    perform cron.schedule('expire-notifications', '* * * * *', 'select private.expire_notifications()');
    perform cron.schedule('end-ghost-presence', '* * * * *', 'select private.end_ghost_presence()');
    perform cron.schedule('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
  end if;
end;
$$;
-- <<< jobs.sql

-- >>> leaderboard/points.sql
-- The Monday (UTC) with which a week begins, and the board on which its points are counted.
create or replace function private.week_of(moment timestamptz) returns date
language sql immutable
as $$
  select date_trunc('week', moment at time zone 'UTC')::date;
$$;
create or replace function private.board_of(scope text) returns text
language sql stable
as $$
  select case scope when 'week' then 'week-' || private.week_of(now()) else scope end;
$$;

-- Whether somebody is shown on leaderboards: an active student who doesn't hide.
create or replace function private.is_shown(person uuid) returns boolean
language sql stable
as $$
  select exists (select 1 from public.users where id = person and role = 'student' and is_active)
    and not exists (select 1 from public.hidden_students where user_id = person);
$$;

-- Writes points to the ledger, each entry (`{ course, reason, subject, turn, tenths }`) once and for
-- all, and adds them to the student's scores: global, of the week, of each course. An entry that is
-- there already gives nothing. Gives the tenths that were new. It writes the student's own rows and
-- no others, so that no two students wait for each other; `count_scores` does the counting.
create or replace function private.award_points(student uuid, entries jsonb) returns integer
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  given integer;
begin
  with written as (
    insert into public.point_entries (user_id, course_id, reason, subject, turn, tenths)
    select student, course, reason, subject, coalesce(turn, 1), tenths
    from jsonb_to_recordset(entries) as entry (
      course uuid, reason text, subject text, turn integer, tenths integer
    )
    where tenths <> 0
    on conflict do nothing
    returning course_id, tenths
  ), gained as (
    select boards.board, sum(written.tenths)::integer as tenths
    from written
    cross join lateral (
      values ('global'), (private.board_of('week')), (written.course_id::text)
    ) as boards (board)
    where boards.board is not null
    group by boards.board
  ), scored as (
    insert into private.leaderboard_scores as had (board, user_id, score, shown_score, week)
    select
      board, student, tenths, case when private.is_shown(student) then tenths end,
      private.week_of(now())
    from gained
    order by board collate "C"
    on conflict (board, user_id) do update
    set
      score = had.score + excluded.score,
      shown_score = had.shown_score + excluded.score,
      score_before_week = case when had.week = excluded.week then had.score_before_week else had.score end,
      week = excluded.week
  )
  select coalesce(sum(tenths), 0) into given from written;
  return given;
end;
$$;

-- Shows or hides somebody's scores on all boards, as `is_shown` says now.
create or replace function private.refresh_shown(person uuid) returns void
language sql security definer set search_path = ''
as $$
  update private.leaderboard_scores
  set shown_score = case when private.is_shown(person) then score end
  where user_id = person
    and shown_score is distinct from case when private.is_shown(person) then score end;
$$;

-- Hides the caller from all leaderboards, or shows them again.
create or replace function public.set_leaderboard_hidden(hidden boolean) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  person uuid := auth.uid();
begin
  if person is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  if hidden then
    insert into public.hidden_students (user_id) values (person) on conflict do nothing;
  else
    delete from public.hidden_students where user_id = person;
  end if;
  perform private.refresh_shown(person);
  return hidden;
end;
$$;
grant execute on function public.set_leaderboard_hidden(boolean) to authenticated;

-- Who becomes an instructor or is disabled leaves the boards; a new name or picture is told there.
create or replace function private.after_user_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if (new.role, new.is_active) is distinct from (old.role, old.is_active) then
    perform private.refresh_shown(new.id);
  end if;
  if (new.first_name, new.last_name, new.avatar_url)
    is distinct from (old.first_name, old.last_name, old.avatar_url) then
    update private.leaderboard_told
    set is_stale = true
    where entries @> jsonb_build_array(jsonb_build_object('userId', new.id));
  end if;
  return null;
end;
$$;
create or replace trigger after_user_change
after update of role, is_active, first_name, last_name, avatar_url on public.users
for each row execute function private.after_user_change();

-- A user who is erased is not counted any more.
create or replace function private.uncount_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update private.leaderboard_counts as had
  set students = had.students - gone.students
  from (
    select board, level, counted_score >> (6 * level) as bucket, count(*) as students
    from erased, generate_series(0, 2) as level
    where counted_score is not null
    group by 1, 2, 3
  ) as gone
  where had.board = gone.board and had.level = gone.level and had.bucket = gone.bucket;
  update private.leaderboard_told set is_stale = true
  where board in (select erased.board from erased);
  return null;
end;
$$;
create or replace trigger uncount_scores
after delete on private.leaderboard_scores
referencing old table as erased
for each statement execute function private.uncount_scores();

-- Scores are updated at every completion: room on their pages.
alter table private.leaderboard_scores set (fillfactor = 80);
-- <<< leaderboard/points.sql

-- >>> leaderboard/ranking.sql
-- How many students on a board have more than a score: the counts of whole buckets above it, of
-- smaller ones inside its bucket, and of single scores inside the smallest; and those whose last
-- change isn't counted yet. A few hundred index entries at most, for a thousand students or a million.
create or replace function private.students_above(on_board text, score integer) returns integer
language sql stable
as $$
  select (
    coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board
        and (
          (level = 2 and bucket > students_above.score >> 12)
          or (
            level = 1
            and bucket > students_above.score >> 6
            and bucket < ((students_above.score >> 12) + 1) << 6
          )
          or (
            level = 0
            and bucket > students_above.score
            and bucket < ((students_above.score >> 6) + 1) << 6
          )
        )
    ), 0)
    + (
      select
        count(*) filter (where shown_score > students_above.score)
        - count(*) filter (where counted_score > students_above.score)
      from private.leaderboard_scores
      where board = on_board and shown_score is distinct from counted_score
    )
  )::integer;
$$;

-- How many students are shown on a board.
create or replace function private.students_on(on_board text) returns integer
language sql stable
as $$
  select (
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
  )::integer;
$$;

-- Whether a student is shown in one of the first places of the global board.
create or replace function private.is_among_first(student uuid, places integer) returns boolean
language sql stable
as $$
  select exists (
    select 1
    from private.leaderboard_scores as own
    where own.board = 'global'
      and own.user_id = student
      and own.shown_score is not null
      and (
        select count(*)
        from (
          select 1
          from private.leaderboard_scores as other
          where other.board = 'global' and other.shown_score > own.shown_score
          limit places
        ) as above
      ) < places
  );
$$;

-- Whether there are so many on the global board.
create or replace function private.has_ranked_students(wanted integer) returns boolean
language sql stable
as $$
  select exists (
    select 1
    from private.leaderboard_scores
    where board = 'global' and shown_score is not null
    offset wanted - 1
  );
$$;

-- An entry of a board as it is shown. `movement` is how many places the student has climbed since
-- the week began (negative: fallen); null for those who had no points then, and on the week's board.
create or replace function private.leaderboard_entry(
  own private.leaderboard_scores,
  rank integer
)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'rank', leaderboard_entry.rank,
    'points', round(own.score / 10.0, 1),
    'coursesCompleted', coalesce(stats.courses_completed, 0),
    'certificatesEarned', coalesce(stats.certificates_earned, 0),
    'movement', case
      when own.board like 'week-%' then null
      when own.week = private.week_of(now()) and own.score_before_week = 0 then null
      when not exists (
        select 1 from private.leaderboard_counts where board = 'before-' || own.board
      ) then null
      else 1 + private.students_above(
        'before-' || own.board,
        case when own.week = private.week_of(now()) then own.score_before_week else own.score end
      ) - leaderboard_entry.rank
    end
  )
  from public.users as person
  left join public.learning_stats as stats on stats.user_id = person.id
  where person.id = own.user_id;
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

-- >>> leaderboard/tell.sql
-- Counts the scores of a board that have changed since they were last counted, at most `most` of
-- them. Waits for nobody: a score that is being changed at this moment is counted next time.
create or replace function private.count_scores(on_board text, most integer default 10000)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  counted integer;
begin
  with changed as (
    select user_id, shown_score, counted_score
    from private.leaderboard_scores
    where board = on_board and shown_score is distinct from counted_score
    limit most
    for no key update skip locked
  ), settled as (
    update private.leaderboard_scores as scores
    set counted_score = changed.shown_score
    from changed
    where scores.board = on_board and scores.user_id = changed.user_id
  ), moved as (
    select level, score >> (6 * level) as bucket, sum(students)::integer as students
    from (
      select shown_score as score, 1 as students from changed where shown_score is not null
      union all
      select counted_score, -1 from changed where counted_score is not null
    ) as change, generate_series(0, 2) as level
    group by 1, 2
    having sum(students) <> 0
  ), written as (
    insert into private.leaderboard_counts as had (board, level, bucket, students)
    select on_board, level, bucket, students from moved order by level, bucket
    on conflict (board, level, bucket) do update set students = had.students + excluded.students
  )
  select count(*) into counted from changed;
  return counted;
end;
$$;

-- Tells the top of a leaderboard, if it is another than was last told: what has changed in it
-- (`entries`), who has left it (`removed`), and how many students there are; all of it (`isWhole`)
-- the first time and in a new week.
create or replace function private.tell_top(scope text) returns void
language plpgsql
as $$
declare
  on_board text := private.board_of(scope);
  told private.leaderboard_told;
  is_whole boolean;
  entries jsonb := private.leaderboard_top(on_board, 100);
  students integer := private.students_on(on_board);
  changed jsonb;
  removed jsonb;
begin
  select * into told from private.leaderboard_told where leaderboard_told.scope = tell_top.scope;
  is_whole := told.scope is null or told.board <> on_board;
  if is_whole then
    changed := entries;
    removed := '[]';
  else
    select coalesce(jsonb_agg(entry), '[]') into changed
    from jsonb_array_elements(entries) as entry
    where not told.entries @> jsonb_build_array(entry);
    select coalesce(jsonb_agg(former -> 'userId'), '[]') into removed
    from jsonb_array_elements(told.entries) as former
    where not entries @> jsonb_build_array(jsonb_build_object('userId', former -> 'userId'));
  end if;
  insert into private.leaderboard_told as earlier (scope, board, entries, students)
  values (scope, on_board, entries, students)
  on conflict on constraint leaderboard_told_pkey do update
  set
    board = excluded.board,
    entries = excluded.entries,
    students = excluded.students,
    is_stale = false,
    told_at = excluded.told_at;
  if is_whole or changed <> '[]' or removed <> '[]' or students <> told.students then
    perform private.publish('leaderboard:' || scope, 'leaderboard.changed', jsonb_build_object(
      'entries', changed, 'removed', removed, 'students', students, 'isWhole', is_whole
    ));
  end if;
end;
$$;

-- Tells those who look at their own rank on a leaderboard, if it is another than they were last told.
create or replace function private.tell_followers(of_scope text) returns void
language plpgsql
as $$
declare
  changed record;
begin
  for changed in
    with current as (
      select
        scope, user_id, told,
        private.leaderboard_standing(private.board_of(of_scope), user_id) as standing
      from private.leaderboard_followers
      where scope = of_scope and until > now()
    )
    update private.leaderboard_followers as follower
    set told = current.standing
    from current
    where follower.scope = current.scope
      and follower.user_id = current.user_id
      and current.told is distinct from current.standing
    returning follower.user_id, follower.told
  loop
    perform private.publish('user:' || changed.user_id, 'leaderboard.rank', jsonb_build_object(
      'scope', of_scope, 'standing', changed.told
    ));
  end loop;
end;
$$;

-- At the first run of a week: keeps the counts with which it begins, for the movement since then.
create or replace function private.begin_week() returns void
language plpgsql
as $$
declare
  this_week date := private.week_of(now());
begin
  if exists (
    select 1 from private.leaderboard_told
    where scope = 'week' and board = private.board_of('week')
  ) then
    return;
  end if;
  insert into private.leaderboard_told (scope, board, is_stale)
  select distinct board, '', true
  from private.leaderboard_scores
  where shown_score is distinct from counted_score and board not like 'week-%'
  on conflict (scope) do update set is_stale = true;
  perform private.count_scores(board, 2147483647)
  from (
    select distinct board from private.leaderboard_scores
    where shown_score is distinct from counted_score
  ) as changed;
  delete from private.leaderboard_counts where board like 'before-%';
  insert into private.leaderboard_counts (board, level, bucket, students)
  select 'before-' || board, level, bucket, students
  from private.leaderboard_counts
  where board not like 'week-%' and students > 0;
  delete from private.leaderboard_scores
  where board like 'week-%' and board < 'week-' || (this_week - 28);
  delete from private.leaderboard_counts
  where board like 'week-%' and board < 'week-' || (this_week - 28);
  perform private.tell_top('week');
  update private.leaderboard_told set is_stale = true where scope <> 'week';
end;
$$;

-- Counts what has changed, and tells it: the one place where leaderboards are published, run once a
-- second, so that a topic has one event a second at most, whatever the load. A board that nothing
-- changed on costs nothing. Two runs at the same time can't be: the second does nothing.
create or replace function private.tell_leaderboards() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  changed_scope text;
  counted integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('tell leaderboards', 0)) then
    return 0;
  end if;
  perform private.begin_week();
  for changed_scope in
    select distinct case board when private.board_of('week') then 'week' else board end
    from private.leaderboard_scores
    where shown_score is distinct from counted_score
    union
    select scope from private.leaderboard_told where is_stale
    order by 1
  loop
    counted := counted + private.count_scores(private.board_of(changed_scope));
    continue when changed_scope like 'week-%';
    perform private.tell_top(changed_scope);
    perform private.tell_followers(changed_scope);
  end loop;
  delete from private.leaderboard_followers where until < now() - interval '1 hour';
  return counted;
end;
$$;

-- The caller's standing, and for the next ten minutes each change of it on their own topic. Gives
-- the standing with that topic's number, both of one moment.
create or replace function public.follow_leaderboard(scope text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  snapshot jsonb;
begin
  if auth.uid() is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  perform private.check_scope(scope);
  insert into private.leaderboard_followers (user_id, scope, until)
  values (auth.uid(), scope, now() + interval '10 minutes')
  on conflict on constraint leaderboard_followers_pk do update
  set told = null, until = excluded.until;
  select jsonb_build_object(
    'data', private.leaderboard_standing(private.board_of(scope), auth.uid()),
    'seq', private.live_cursor('user:' || auth.uid())
  )
  into snapshot;
  return snapshot;
end;
$$;
grant execute on function public.follow_leaderboard(text) to authenticated;
-- <<< leaderboard/tell.sql

-- >>> progress/access.sql
-- Where a lesson is, and where the student stands who is about to do something in it.
do $$
begin
  if to_regtype('private.lesson_place') is null then
    create type private.lesson_place as (
      lesson_id uuid,
      lesson_title text,
      kind text,
      revision integer,
      quiz jsonb,
      time_cap_seconds integer,
      module_id uuid,
      module_title text,
      course_id uuid,
      course_title text,
      course_version integer,
      enrollment_id uuid,
      status text
    );
  end if;
end;
$$;

-- What counts in a course, and in one module of it, and how much of that a student has done.
do $$
begin
  if to_regtype('private.course_count') is null then
    create type private.course_count as (
      required integer,
      done integer,
      module_required integer,
      module_done integer
    );
  end if;
end;
$$;

-- Finds a lesson for a student who may do it, or raises why not: LESSON_NOT_FOUND,
-- ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED. Holds the course as it is, and locks the student's
-- enrollment, until the transaction ends.
create or replace function private.enter_lesson(student uuid, lesson uuid)
returns private.lesson_place
language plpgsql
as $$
declare
  place private.lesson_place;
  is_published boolean;
begin
  select modules.course_id into place.course_id
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  where lessons.id = lesson;
  if not found then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  end if;
  perform private.hold_course(place.course_id, false);
  select id, status into place.enrollment_id, place.status
  from public.enrollments
  where user_id = student and course_id = place.course_id and status <> 'cancelled'
  for no key update;
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  -- Read again: what was changed before the course was held counts.
  select
    lessons.id, lessons.title, lessons.kind, lessons.revision, lessons.quiz,
    -- Three times what the author says it takes, and ten minutes for the shortest.
    greatest(lessons.duration_minutes * 3, 10) * 60,
    modules.id, modules.title, courses.title, courses.version,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into
    place.lesson_id, place.lesson_title, place.kind, place.revision, place.quiz,
    place.time_cap_seconds, place.module_id, place.module_title, place.course_title,
    place.course_version, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson;
  if is_published is not true then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return place;
end;
$$;

-- Counts what counts, of a course and of one of its modules.
create or replace function private.count_course(student uuid, course uuid, module uuid)
returns private.course_count
language sql stable
as $$
  select (
    count(*),
    count(done.lesson_id),
    count(*) filter (where required.module_id = module),
    count(done.lesson_id) filter (where required.module_id = module)
  )::private.course_count
  from private.required_lessons(course) as required
  left join public.lesson_completions as done
    on done.user_id = student and done.lesson_id = required.lesson_id;
$$;
-- <<< progress/access.sql

-- >>> progress/complete.sql
-- Completes a lesson for a student, and all that follows from it: lesson, module, enrollment,
-- course, certificate, totals, points, achievements, feed, events and one notification. One
-- transaction, safe to repeat, safe at the same moment from many places: the student's enrollment is
-- locked first. Refuses with a reason: LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED,
-- QUIZ_NOT_PASSED. `seconds` is what the student was there since it was last reported.
create or replace function private.complete_lesson_for(student uuid, lesson uuid, seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  place private.lesson_place := private.enter_lesson(student, lesson);
  counted private.course_count;
  is_new boolean;
  has_module boolean := false;
  spent integer;
  stats public.learning_stats;
  points integer := 0;
  finished jsonb;
  earned jsonb;
begin
  if place.kind = 'quiz' and not exists (
    select 1 from public.quiz_attempts
    where user_id = student and lesson_id = lesson and is_passed
  ) then
    raise exception 'QUIZ_NOT_PASSED' using errcode = 'P0001';
  end if;
  if seconds > 0 then
    perform private.credit_time(student, lesson, seconds, null);
  end if;
  select least(time_spent_seconds, place.time_cap_seconds) into spent
  from public.lesson_progress where user_id = student and lesson_id = lesson;
  spent := coalesce(spent, 0);

  insert into public.lesson_completions (user_id, lesson_id, time_spent_seconds)
  values (student, lesson, spent)
  on conflict do nothing;
  is_new := found;
  counted := private.count_course(student, place.course_id, place.module_id);
  if counted.module_required > 0 and counted.module_done = counted.module_required then
    insert into public.module_completions (user_id, module_id)
    values (student, place.module_id)
    on conflict do nothing;
    has_module := found;
  end if;

  if is_new then
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    where id = place.enrollment_id and status = 'active';
    stats := private.count_lesson(student, spent);
    points := private.award_points(student, jsonb_build_array(jsonb_build_object(
      'course', place.course_id,
      'reason', 'time',
      'subject', lesson,
      'tenths', stats.total_time_spent - (stats.time_spent_seconds - spent) / 60
    )));
  end if;
  if counted.required > 0 and counted.done = counted.required and place.status = 'active' then
    finished := private.finish_course(student, place.course_id);
    points := points + (finished ->> 'points')::integer;
  end if;
  if is_new or finished is not null then
    earned := private.earn_achievements(student);
    points := points + (earned ->> 'points')::integer;
    perform private.tell_completion(student, place, counted, has_module, finished, earned, points);
  end if;
  return private.completion_json(student, place, counted)
    || jsonb_build_object(
      'isNew', is_new,
      'isModuleCompleted', has_module,
      'isCourseCompleted', finished is not null,
      'certificate', finished -> 'certificate',
      'achievements', coalesce(earned -> 'achievements', '[]'),
      'points', round(points / 10.0, 1)
    );
end;
$$;

-- The same, for whoever is signed in. One call is the whole of it.
create or replace function public.complete_lesson(lesson_id uuid, seconds integer default 0)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if auth.uid() is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  return private.complete_lesson_for(auth.uid(), complete_lesson.lesson_id, complete_lesson.seconds);
end;
$$;
grant execute on function public.complete_lesson(uuid, integer) to authenticated;
-- <<< progress/complete.sql

-- >>> progress/course_page.sql
-- How far the caller is in a course, in all of its lessons that they have opened. Raises
-- ENROLLMENT_REQUIRED. One statement, so that it is of one moment with the topic's number beside it.
create or replace function public.course_progress(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  student uuid := auth.uid();
  progress jsonb;
begin
  select
    private.progress_json(
      enrollment, course.version, private.count_course(student, course.id, null)
    ) || jsonb_build_object(
      'courseId', course.id,
      'enrolledAt', private.iso_time(enrollment.enrolled_at),
      'lessons', private.lesson_states(student, course.id),
      'completedModuleIds', coalesce((
        select jsonb_agg(module.id order by module.position)
        from public.modules as module
        join public.module_completions as done
          on done.module_id = module.id and done.user_id = student
        where module.course_id = course.id
      ), '[]'),
      'certificate', (
        select private.certificate_json(certificate)
        from public.certificates as certificate
        where certificate.user_id = student and certificate.course_id = course.id
      )
    )
  into progress
  from public.enrollments as enrollment
  join public.courses as course on course.id = enrollment.course_id
  where enrollment.user_id = student
    and enrollment.course_id = course_progress.course_id
    and enrollment.status <> 'cancelled';
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return progress;
end;
$$;
grant execute on function public.course_progress(uuid) to authenticated;

-- A student's state in each lesson of a course that they have opened.
create or replace function private.lesson_states(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(jsonb_build_object(
      'lessonId', lesson.id,
      'completedAt', private.iso_time(done.completed_at),
      'place', coalesce(progress.place, 0),
      'timeSpentSeconds', coalesce(progress.time_spent_seconds, 0),
      'attempts', coalesce(progress.attempts, 0),
      'bestScore', progress.best_score
    )),
    '[]'
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  left join public.lesson_completions as done
    on done.lesson_id = lesson.id and done.user_id = student
  left join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course
    and (done.lesson_id is not null or progress.lesson_id is not null);
$$;

-- The students of a course, the newest enrollment first, after a place in that order (null: from the
-- first). For its staff; raises COURSE_NOT_FOUND for others.
create or replace function public.course_roster(
  course_id uuid,
  before timestamptz,
  before_id uuid,
  most integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.check_author(course_roster.course_id);
  return (
    select coalesce(
      jsonb_agg(private.roster_row(page) order by page.enrolled_at desc, page.id desc), '[]'
    )
    from (
      select *
      from public.enrollments as enrollment
      where enrollment.course_id = course_roster.course_id
        and enrollment.status <> 'cancelled'
        and (
          course_roster.before is null
          or (enrollment.enrolled_at, enrollment.id) < (course_roster.before, course_roster.before_id)
        )
      order by enrollment.enrolled_at desc, enrollment.id desc
      limit most
    ) as page
  );
end;
$$;
grant execute on function public.course_roster(uuid, timestamptz, uuid, integer) to authenticated;

-- A student in the roster of a course.
create or replace function private.roster_row(enrollment public.enrollments) returns jsonb
language sql stable
as $$
  select private.progress_json(
    enrollment, null, private.count_course(enrollment.user_id, enrollment.course_id, null)
  ) || jsonb_build_object(
    'enrollmentId', enrollment.id,
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'enrolledAt', private.iso_time(enrollment.enrolled_at)
  ) || (
    select jsonb_build_object(
      'lastActiveAt', private.iso_time(max(done.completed_at)),
      'timeSpentSeconds', coalesce(sum(progress.time_spent_seconds), 0),
      'averageScore', round(avg(progress.best_score), 2),
      'quizzes', coalesce(
        jsonb_agg(
          jsonb_build_object(
            'lessonId', lesson.id,
            'title', lesson.title,
            'bestScore', progress.best_score,
            'attempts', progress.attempts
          )
          order by module.position, lesson.position
        ) filter (where progress.best_score is not null),
        '[]'
      )
    )
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = enrollment.user_id
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = enrollment.user_id
    where module.course_id = enrollment.course_id
  )
  from public.users as person
  where person.id = enrollment.user_id;
$$;
-- <<< progress/course_page.sql

-- >>> progress/lesson_page.sql
-- What a lesson teaches, and how far the caller is in it; for those who are enrolled, and its
-- staff. Raises LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED.
create or replace function public.lesson_page(lesson_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  reader uuid := auth.uid();
  course uuid;
  is_staff boolean;
  is_published boolean;
begin
  select
    modules.course_id,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into course, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson_page.lesson_id;
  is_staff := private.is_course_staff(course, reader);
  if course is null then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  elsif not private.is_course_member(course, reader) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  elsif not is_published and not is_staff then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return (
    select jsonb_build_object(
      'id', lesson.id,
      'courseId', course,
      'moduleId', lesson.module_id,
      'title', lesson.title,
      'kind', lesson.kind,
      'content', lesson.content,
      'videoUrl', lesson.video_url,
      'captionsUrl', lesson.captions_url,
      'attachments', lesson.attachments,
      'durationMinutes', lesson.duration_minutes,
      'isRequired', lesson.is_required,
      'revision', lesson.revision,
      'quiz', private.quiz_for(
        lesson.quiz, is_staff or private.may_see_answers(reader, lesson.id, lesson.quiz)
      ),
      'completedAt', private.iso_time(done.completed_at),
      'place', coalesce(progress.place, 0),
      'timeSpentSeconds', coalesce(progress.time_spent_seconds, 0),
      'bestScore', progress.best_score,
      'attemptsLeft', (lesson.quiz ->> 'attemptsMax')::integer - coalesce(progress.attempts, 0),
      'attempts', coalesce((
        select jsonb_agg(private.attempt_json(attempt) order by attempt.number)
        from public.quiz_attempts as attempt
        where attempt.user_id = reader and attempt.lesson_id = lesson.id
      ), '[]')
    )
    from public.lessons as lesson
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = reader
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = reader
    where lesson.id = lesson_page.lesson_id
  );
end;
$$;
grant execute on function public.lesson_page(uuid) to authenticated;

-- Counts time of the caller in a lesson, and remembers their place in it (0–1; null: where it was).
-- Gives the seconds that were credited. Raises what `lesson_page` raises.
create or replace function public.report_time(lesson_id uuid, seconds integer, place real)
returns integer
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (
    select 1
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    join public.enrollments on enrollments.course_id = modules.course_id
    where lessons.id = report_time.lesson_id
      and lessons.is_published
      and modules.is_published
      and enrollments.user_id = auth.uid()
      and enrollments.status <> 'cancelled'
  ) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return private.credit_time(auth.uid(), report_time.lesson_id, seconds, report_time.place);
end;
$$;
grant execute on function public.report_time(uuid, integer, real) to authenticated;
-- <<< progress/lesson_page.sql

-- >>> progress/quiz.sql
-- Refuses what is no quiz, whoever writes it: QUIZ_INVALID, with what is wrong in the detail.
create or replace function private.check_quiz(quiz jsonb) returns void
language plpgsql
as $$
declare
  question jsonb;
  wrong text;
begin
  wrong := case
    when jsonb_typeof(quiz -> 'questions') is distinct from 'array'
      or jsonb_array_length(quiz -> 'questions') not between 1 and 100
      then 'It takes 1 to 100 questions.'
    when (quiz ->> 'passPercent')::numeric not between 0 and 100
      or quiz ->> 'passPercent' is null
      then 'passPercent lies between 0 and 100.'
    when (quiz ->> 'attemptsMax')::integer not between 1 and 100
      then 'attemptsMax lies between 1 and 100, or is null.'
    when (
      select count(distinct value ->> 'id') <> count(*) from jsonb_array_elements(quiz -> 'questions')
    ) then 'Each question needs an id of its own.'
  end;
  for question in
    select value from jsonb_array_elements(quiz -> 'questions') where wrong is null
  loop
    wrong := coalesce(wrong, case
      when coalesce(trim(question ->> 'prompt'), '') = '' then 'A question asks nothing.'
      when (question ->> 'points')::integer between 1 and 100 is not true
        then 'A question gives 1 to 100 points.'
      when question ->> 'kind' = 'short' and jsonb_array_length(question -> 'accepted') > 0 then null
      when question ->> 'kind' in ('single', 'multiple')
        and jsonb_array_length(question -> 'choices') between 2 and 20
        and (
          select jsonb_agg(choice -> 'id') from jsonb_array_elements(question -> 'choices') as choice
        ) @> (question -> 'correct')
        and jsonb_array_length(question -> 'correct') >= 1
        and (question ->> 'kind' = 'multiple' or jsonb_array_length(question -> 'correct') = 1)
        then null
      else 'The answers of a question don''t fit its kind.'
    end);
  end loop;
  if wrong is not null then
    raise exception 'QUIZ_INVALID' using errcode = '23514', detail = wrong;
  end if;
exception
  when invalid_text_representation or invalid_parameter_value or numeric_value_out_of_range then
    raise exception 'QUIZ_INVALID' using errcode = '23514', detail = sqlerrm;
end;
$$;

create or replace function private.check_lesson_quiz() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.check_quiz(new.quiz);
  return new;
end;
$$;
create or replace trigger check_lesson_quiz
before insert or update of quiz on public.lessons
for each row when (new.quiz is not null)
execute function private.check_lesson_quiz();

-- A short answer without what doesn't matter: case, and spaces around and between words.
create or replace function private.plain_text(answer text) returns text
language sql immutable
as $$
  select lower(trim(regexp_replace(answer, '\s+', ' ', 'g')));
$$;

-- Whether a question is answered right: exactly the correct choices, or one of the accepted texts.
create or replace function private.is_right(question jsonb, answer jsonb) returns boolean
language sql immutable
as $$
  select coalesce(case
    when question ->> 'kind' = 'short' then jsonb_typeof(answer) = 'string' and exists (
      select 1 from jsonb_array_elements_text(question -> 'accepted') as accepted
      where private.plain_text(accepted) = private.plain_text(answer #>> '{}')
    )
    else jsonb_typeof(answer) = 'array'
      and answer @> (question -> 'correct') and (question -> 'correct') @> answer
  end, false);
$$;

-- Hands in an attempt of the caller at a quiz: scores it, keeps the best score, and completes the
-- lesson with all that follows when it is passed. `answers` holds ids of choices or a text by the
-- question's id; `revision` is that of the lesson which was answered. Refuses with a reason, besides
-- those of `complete_lesson`: NOT_A_QUIZ, QUIZ_CHANGED (nothing is counted), ATTEMPTS_EXHAUSTED.
create or replace function public.submit_quiz(
  lesson_id uuid,
  revision integer,
  answers jsonb,
  seconds integer default 0
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  student uuid := auth.uid();
  place private.lesson_place;
  had public.lesson_progress;
  attempt public.quiz_attempts;
  completion jsonb;
begin
  if student is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  if jsonb_typeof(answers) is distinct from 'object' or octet_length(answers::text) > 65536 then
    raise exception 'INPUT_INVALID' using errcode = '22023';
  end if;
  place := private.enter_lesson(student, lesson_id);
  if place.kind <> 'quiz' then
    raise exception 'NOT_A_QUIZ' using errcode = 'P0001';
  elsif place.revision <> revision then
    raise exception 'QUIZ_CHANGED' using errcode = 'P0001';
  end if;
  perform private.credit_time(student, lesson_id, coalesce(seconds, 0), null);
  select * into had from public.lesson_progress as progress
  where progress.user_id = student and progress.lesson_id = place.lesson_id;
  if had.attempts >= (place.quiz ->> 'attemptsMax')::integer then
    raise exception 'ATTEMPTS_EXHAUSTED' using errcode = 'P0001';
  end if;

  attempt := private.score_attempt(student, place, answers, had.attempts + 1);
  update public.lesson_progress as progress
  set attempts = attempt.number, best_score = greatest(had.best_score, attempt.score)
  where progress.user_id = student and progress.lesson_id = place.lesson_id;
  update public.learning_stats as stats
  set average_score = (
    select avg(progress.best_score) from public.lesson_progress as progress
    where progress.user_id = student
  )
  where stats.user_id = student;
  perform private.award_points(student, jsonb_build_array(jsonb_build_object(
    'course', place.course_id,
    'reason', 'quiz',
    'subject', place.lesson_id,
    'turn', attempt.number,
    'tenths', greatest(round(attempt.score) - coalesce(round(had.best_score), 0), 0)
  )));
  perform private.publish('user:' || student, 'quiz.submitted', jsonb_build_object(
    'courseId', place.course_id,
    'lessonId', place.lesson_id,
    'attempts', attempt.number,
    'bestScore', greatest(had.best_score, attempt.score),
    'score', attempt.score,
    'isPassed', attempt.is_passed
  ));
  if attempt.is_passed then
    completion := private.complete_lesson_for(student, place.lesson_id, 0);
  end if;
  return jsonb_build_object(
    'attempt', private.attempt_json(attempt),
    'bestScore', greatest(had.best_score, attempt.score),
    'attemptsLeft', (place.quiz ->> 'attemptsMax')::integer - attempt.number,
    'quiz', private.quiz_for(place.quiz, private.may_see_answers(student, place.lesson_id, place.quiz)),
    'completion', completion
  );
end;
$$;
grant execute on function public.submit_quiz(uuid, integer, jsonb, integer) to authenticated;

-- Scores answers, and keeps them as an attempt.
create or replace function private.score_attempt(
  student uuid,
  place private.lesson_place,
  answers jsonb,
  number integer
)
returns public.quiz_attempts
language plpgsql
as $$
declare
  results jsonb;
  score numeric;
  attempt public.quiz_attempts;
begin
  select
    jsonb_object_agg(question ->> 'id', is_right),
    round(
      100.0 * coalesce(sum((question ->> 'points')::integer) filter (where is_right), 0)
        / sum((question ->> 'points')::integer),
      2
    )
  into results, score
  from jsonb_array_elements(place.quiz -> 'questions') as question
  cross join lateral private.is_right(question, answers -> (question ->> 'id')) as is_right;
  insert into public.quiz_attempts (
    user_id, lesson_id, number, revision, answers, results, score, is_passed
  )
  values (
    student, place.lesson_id, number, place.revision, answers, results, score,
    score >= (place.quiz ->> 'passPercent')::numeric
  )
  returning * into attempt;
  return attempt;
end;
$$;

-- An attempt, as its student and the staff see it.
create or replace function private.attempt_json(attempt public.quiz_attempts) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'number', attempt.number,
    'revision', attempt.revision,
    'answers', attempt.answers,
    'results', attempt.results,
    'score', attempt.score,
    'isPassed', attempt.is_passed,
    'submittedAt', private.iso_time(attempt.submitted_at)
  );
$$;

-- Whether a student may see the answers: after they passed, or when no attempt is left.
create or replace function private.may_see_answers(student uuid, lesson uuid, quiz jsonb)
returns boolean
language sql stable
as $$
  select count(*) > 0
    and (bool_or(is_passed) or count(*) >= (quiz ->> 'attemptsMax')::integer is true)
  from public.quiz_attempts
  where user_id = student and lesson_id = lesson;
$$;

-- A quiz as a student sees it: with the answers and explanations only where they may see them.
create or replace function private.quiz_for(quiz jsonb, with_answers boolean) returns jsonb
language sql immutable
as $$
  select case
    when quiz is null or with_answers then quiz
    else quiz || jsonb_build_object('questions', (
      select jsonb_agg(question - 'correct' - 'accepted' - 'explanation' order by position)
      from jsonb_array_elements(quiz -> 'questions') with ordinality as asked (question, position)
    ))
  end;
$$;
-- <<< progress/quiz.sql

-- >>> progress/tell.sql
-- How far a student is in a course, with the reason. Who has finished is as far as they were then.
create or replace function private.progress_json(
  enrollment public.enrollments,
  version integer,
  counted private.course_count
)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseVersion', coalesce(enrollment.course_version, version),
    'status', enrollment.status,
    'doneCount', coalesce(enrollment.required_count, counted.done),
    'requiredCount', coalesce(enrollment.required_count, counted.required),
    'progressPercent', enrollment.progress,
    'completedAt', private.iso_time(enrollment.completed_at)
  );
$$;

-- What a completion gives back to who asked for it, and what `lesson.completed` tells.
create or replace function private.completion_json(
  student uuid,
  place private.lesson_place,
  counted private.course_count
)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseId', place.course_id,
    'moduleId', place.module_id,
    'lessonId', place.lesson_id,
    'completedAt', private.iso_time(done.completed_at),
    'progress', private.progress_json(enrollment, place.course_version, counted)
  )
  from public.enrollments as enrollment
  join public.lesson_completions as done
    on done.user_id = student and done.lesson_id = place.lesson_id
  where enrollment.id = place.enrollment_id;
$$;

-- Tells of a completion: the student's devices, the staff of the course with its feed, and the
-- student once, about the greatest of what the click has brought.
create or replace function private.tell_completion(
  student uuid,
  place private.lesson_place,
  counted private.course_count,
  has_module boolean,
  finished jsonb,
  earned jsonb,
  points integer
)
returns void
language plpgsql
as $$
declare
  told jsonb := private.completion_json(student, place, counted);
  achievements jsonb := earned -> 'achievements';
  student_name text := (
    select private.display_name(first_name, last_name) from public.users where id = student
  );
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, place.course_id, what, data
  from (values
    ('completed_lesson', true, jsonb_build_object(
      'lesson_id', place.lesson_id, 'lesson_title', place.lesson_title
    )),
    ('completed_module', has_module, jsonb_build_object(
      'module_id', place.module_id, 'module_title', place.module_title
    ))
  ) as happened (what, is_so, data)
  where is_so;

  perform private.publish('user:' || student, 'lesson.completed', told || jsonb_build_object(
    'isModuleCompleted', has_module,
    'certificate', finished -> 'certificate',
    'points', round(points / 10.0, 1)
  ));
  perform private.publish(
    'course:' || place.course_id || ':staff',
    'progress.changed',
    told -> 'progress' || jsonb_build_object(
      'userId', student,
      'studentName', student_name,
      'lastActiveAt', told -> 'completedAt'
    )
  );
  if finished is not null then
    perform private.tell_course_finished(
      student, place.course_id, finished || jsonb_build_object('achievements', achievements)
    );
  elsif achievements <> '[]' then
    perform private.tell_achievements(student, place.course_id, achievements);
  else
    perform private.tell_lesson(student, place, has_module);
  end if;
end;
$$;

-- The notification of a lesson, or of the module that it was the last one of.
create or replace function private.tell_lesson(
  student uuid,
  place private.lesson_place,
  has_module boolean
)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'lesson_completion',
    'level', 'success',
    'title', case when has_module then 'Module Completed!' else 'Lesson Completed!' end,
    'message', case
      when has_module then format(
        'Great job! "%s" was the last lesson of "%s".', place.lesson_title, place.module_title
      )
      else format('Great job! You''ve completed "%s".', place.lesson_title)
    end,
    'course_id', place.course_id,
    'related_entity_type', 'lesson',
    'related_entity_id', place.lesson_id,
    'dedupe_key', 'lesson:' || place.lesson_id,
    'data', jsonb_build_object(
      'course_id', place.course_id,
      'course_title', place.course_title,
      'lesson_id', place.lesson_id,
      'lesson_title', place.lesson_title
    )
  )));
end;
$$;

-- Tells a student that they have finished a course: the event of the certificate, and one
-- notification, with the achievements that came with it. `finished` is what `finish_course` gave.
-- (The instructors hear of it from the enrollment's own trigger.)
create or replace function private.tell_course_finished(student uuid, course uuid, finished jsonb)
returns void
language plpgsql
as $$
declare
  certificate jsonb := finished -> 'certificate';
  achievements jsonb := coalesce(finished -> 'achievements', '[]');
  course_title text := (select title from public.courses where id = course);
begin
  perform private.publish('user:' || student, 'certificate.issued', jsonb_build_object(
    'certificate', certificate || jsonb_build_object('courseTitle', course_title)
  ));
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'certificate',
    'level', 'success',
    'title', 'Course Completed!',
    'message', format(
      'Congratulations! You''ve completed "%s", and your certificate is ready.', course_title
    ) || case
      when achievements = '[]' then ''
      else ' Unlocked: ' || private.titles_of(achievements) || '.'
    end,
    'course_id', course,
    'related_entity_type', 'certificate',
    'related_entity_id', certificate ->> 'id',
    'dedupe_key', 'course:' || course,
    'data', jsonb_build_object(
      'course_id', course,
      'course_title', course_title,
      'serial_number', certificate ->> 'serialNumber',
      'achievements', achievements
    )
  )));
end;
$$;

-- "First step, Well read": the titles of achievements.
create or replace function private.titles_of(achievements jsonb) returns text
language sql immutable
as $$
  select string_agg(value ->> 'title', ', ' order by position)
  from jsonb_array_elements(achievements) with ordinality as achievement (value, position);
$$;

-- The notification of achievements that nothing greater came with.
create or replace function private.tell_achievements(student uuid, course uuid, achievements jsonb)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'achievement',
    'level', 'success',
    'title', 'Achievement Unlocked!',
    'message', case jsonb_array_length(achievements)
      when 1 then format('You''ve unlocked the "%s" achievement!', achievements -> 0 ->> 'title')
      else format('You''ve unlocked: %s.', private.titles_of(achievements))
    end,
    'course_id', course,
    'related_entity_type', 'achievement',
    'dedupe_key', 'achievement:' || (achievements -> 0 ->> 'key'),
    'data', jsonb_build_object('achievements', achievements)
  )));
end;
$$;
-- <<< progress/tell.sql

-- >>> progress/totals.sql
-- Counts time in a lesson: never more than has gone by since this student last reported any (two
-- tabs can't count the same minute), two minutes for a first report, and nothing beyond an hour. In
-- which place of the lesson they are is kept with it; null leaves it. Gives the seconds credited.
create or replace function private.credit_time(
  student uuid,
  lesson uuid,
  seconds integer,
  place real
)
returns integer
language plpgsql
as $$
declare
  elapsed integer;
  credited integer;
begin
  insert into public.learning_stats (user_id) values (student) on conflict do nothing;
  select ceil(extract(epoch from clock_timestamp() - time_reported_at)) into elapsed
  from public.learning_stats where user_id = student
  for no key update;
  credited := greatest(least(seconds, coalesce(elapsed, 120), 3600), 0);
  update public.learning_stats set time_reported_at = clock_timestamp() where user_id = student;
  insert into public.lesson_progress as progress (user_id, lesson_id, time_spent_seconds, place)
  values (student, lesson, credited, coalesce(credit_time.place, 0))
  on conflict (user_id, lesson_id) do update
  set
    time_spent_seconds = progress.time_spent_seconds + credited,
    place = coalesce(credit_time.place, progress.place);
  return credited;
end;
$$;

-- Counts a lesson done: one more, the time in it, and the day in the student's own time zone.
create or replace function private.count_lesson(student uuid, seconds integer)
returns public.learning_stats
language plpgsql
as $$
declare
  today date := (
    select (now() at time zone users.time_zone)::date from public.users where id = student
  );
  streak integer;
  stats public.learning_stats;
begin
  select
    case
      when last_active_day >= today then current_streak_days
      when last_active_day = today - 1 then current_streak_days + 1
      else 1
    end
  into streak
  from public.learning_stats where user_id = student
  for no key update;
  streak := coalesce(streak, 1);
  insert into public.learning_stats as earlier (
    user_id, lessons_completed, time_spent_seconds, total_time_spent, current_streak_days,
    longest_streak_days, last_active_day, last_active_at
  )
  values (student, 1, seconds, seconds / 60, streak, streak, today, now())
  on conflict (user_id) do update
  set
    lessons_completed = earlier.lessons_completed + 1,
    time_spent_seconds = earlier.time_spent_seconds + seconds,
    total_time_spent = (earlier.time_spent_seconds + seconds) / 60,
    current_streak_days = streak,
    longest_streak_days = greatest(earlier.longest_streak_days, streak),
    last_active_day = greatest(earlier.last_active_day, today),
    last_active_at = now()
  returning * into stats;
  return stats;
end;
$$;

-- Finishes a course for a student who has done all that counts: the enrollment, one certificate, the
-- totals and the points. The caller has the enrollment locked and tells of it. What was written once
-- stays: a second time changes nothing. Gives `{ certificate: { id, serialNumber, issuedAt },
-- points }`, points in tenths.
create or replace function private.finish_course(student uuid, course uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  certificate public.certificates;
  is_new boolean;
  points integer;
begin
  update public.enrollments
  set
    status = 'completed',
    progress = 100,
    completed_at = coalesce(completed_at, now()),
    course_version = (select version from public.courses where id = course),
    required_count = (select count(*) from private.required_lessons(course))
  where user_id = student and course_id = course and status = 'active';
  insert into public.certificates (user_id, course_id)
  values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into certificate;
  is_new := found;
  if not is_new then
    select * into certificate from public.certificates
    where user_id = student and course_id = course;
  end if;
  insert into public.learning_stats as stats (user_id, courses_completed, certificates_earned)
  values (student, 1, is_new::integer)
  on conflict (user_id) do update
  set
    courses_completed = stats.courses_completed + 1,
    certificates_earned = stats.certificates_earned + is_new::integer;
  points := private.award_points(student, jsonb_build_array(
    jsonb_build_object('course', course, 'reason', 'course', 'subject', course, 'tenths', 1000),
    jsonb_build_object(
      'course', course, 'reason', 'certificate', 'subject', certificate.id, 'tenths', 500
    )
  ));
  return jsonb_build_object(
    'certificate', private.certificate_json(certificate), 'points', points
  );
end;
$$;

create or replace trigger touch_updated_at
before update on public.lesson_progress
for each row execute function private.touch_updated_at();
-- <<< progress/totals.sql

CREATE POLICY "staff see the drafts of their courses" ON "course_drafts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "those who take part see what changed" ON "course_versions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "staff see the drafts of the lessons of their courses" ON "lesson_drafts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "students see whether they are hidden" ON "hidden_students" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see their own points" ON "point_entries" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see how far they are, staff in their courses" ON "lesson_progress" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their attempts, staff those in their courses" ON "quiz_attempts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));
