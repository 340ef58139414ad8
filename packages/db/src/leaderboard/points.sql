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
    -- Locked in the order in which the job that tells the boards takes them.
    update private.leaderboard_told
    set is_stale = true
    from (
      select scope from private.leaderboard_told
      where board in (
        select scores.board from private.leaderboard_scores as scores where user_id = new.id
      )
      order by scope
      for no key update
    ) as theirs
    where leaderboard_told.scope = theirs.scope;
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
