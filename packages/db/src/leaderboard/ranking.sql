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
