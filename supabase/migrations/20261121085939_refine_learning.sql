set check_function_bodies = off;

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

-- Gives a student what their totals have earned, each once, with its points, and publishes
-- `achievement.earned` for each. Gives `{ achievements: [{ key, title, description, icon, points,
-- earnedAt }], points }`, the last in tenths. The caller notifies.
create or replace function private.earn_achievements(student uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  totals jsonb;
  achievements jsonb;
begin
  select jsonb_build_object(
    'lessonsCompleted', lessons_completed,
    'coursesCompleted', courses_completed,
    'streakDays', current_streak_days,
    'helpfulAnswers', helpful_answers
  )
  into totals
  from public.learning_stats where user_id = student;
  with new as (
    insert into public.user_achievements (user_id, achievement_key)
    select student, declared.key
    from public.achievements as declared
    where declared.rule <> '{}'
      and not exists (
        select 1 from public.user_achievements as had
        where had.user_id = student and had.achievement_key = declared.key
      )
      -- All that the rule names; a name that isn't known is never satisfied.
      and not exists (
        select 1
        from jsonb_each_text(declared.rule) as wanted (name, least)
        where not case wanted.name
          when 'rankAtMost' then private.is_among_first(student, wanted.least::integer)
          when 'amongAtLeast' then private.has_ranked_students(wanted.least::integer)
          else coalesce((totals ->> wanted.name)::integer >= wanted.least::integer, false)
        end
      )
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

-- Tells students how far they are after a new count: `students` has the modules that each of them has
-- done by it, by their ids.
create or replace function private.tell_reevaluated(course uuid, students jsonb) returns void
language sql
as $$
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
-- <<< catalog/requirements.sql

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
    where board in (select scores.board from private.leaderboard_scores as scores where user_id = new.id);
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
language plpgsql stable
as $$
declare
  counted private.course_count;
begin
  select
    count(*),
    count(done.lesson_id),
    count(*) filter (where required.module_id = module),
    count(done.lesson_id) filter (where required.module_id = module)
  into counted
  from private.required_lessons(course) as required
  left join public.lesson_completions as done
    on done.user_id = student and done.lesson_id = required.lesson_id;
  return counted;
end;
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
  told jsonb;
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
  end if;
  told := private.completion_json(student, place, counted);
  if earned is not null then
    perform private.tell_completion(student, place, told, has_module, finished, earned, points);
  end if;
  return told
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
-- How far the caller is in a course, and in each lesson that they have done or tried. Raises
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
        select jsonb_agg(module.id order by module.id)
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

-- A student's state in each lesson of a course that they have done or tried: all that events tell.
create or replace function private.lesson_states(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'lessonId', lesson.id,
        'completedAt', private.iso_time(done.completed_at),
        'attempts', coalesce(progress.attempts, 0),
        'bestScore', progress.best_score
      )
      order by lesson.id
    ),
    '[]'
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  left join public.lesson_completions as done
    on done.lesson_id = lesson.id and done.user_id = student
  left join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course
    and (done.lesson_id is not null or progress.attempts > 0);
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

-- What a completion gives back to who asked for it, and what `lesson.completed` tells. (In
-- plpgsql, as all here that reads rows and runs with every completion: Postgres 17 plans the
-- statements of an SQL function anew for each call, which costs more than they do.)
create or replace function private.completion_json(
  student uuid,
  place private.lesson_place,
  counted private.course_count
)
returns jsonb
language plpgsql stable
as $$
declare
  enrollment public.enrollments;
  completed_at timestamptz;
begin
  select * into enrollment from public.enrollments where id = place.enrollment_id;
  select done.completed_at into completed_at
  from public.lesson_completions as done
  where done.user_id = student and done.lesson_id = place.lesson_id;
  return jsonb_build_object(
    'courseId', place.course_id,
    'moduleId', place.module_id,
    'lessonId', place.lesson_id,
    'completedAt', private.iso_time(completed_at),
    'progress', private.progress_json(enrollment, place.course_version, counted)
  );
end;
$$;

-- Tells of a completion (`told` is its JSON): the student's devices, the staff of the course with its feed, and the
-- student once, about the greatest of what the click has brought.
create or replace function private.tell_completion(
  student uuid,
  place private.lesson_place,
  told jsonb,
  has_module boolean,
  finished jsonb,
  earned jsonb,
  points integer
)
returns void
language plpgsql
as $$
declare
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

-- What the files above no longer hold.
drop function if exists private.is_earned(jsonb, public.learning_stats);

drop function if exists private.tell_completion(
  uuid, private.lesson_place, private.course_count, boolean, jsonb, jsonb, integer
);
