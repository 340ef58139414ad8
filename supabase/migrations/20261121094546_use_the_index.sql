set check_function_bodies = off;

-- >>> leaderboard/ranking.sql
-- How many students on a board have more than a score: the counts of whole buckets above it, of
-- smaller ones inside its bucket, and of single scores inside the smallest; and those whose last
-- change isn't counted yet. A few hundred index entries at most, for a thousand students or a
-- million. Without sequential scans: Postgres takes nearly all scores for not counted, which is what
-- `is distinct from` mostly means, and would read the table. (In plpgsql, as `leaderboard_entry`: called a hundred times for one board, and Postgres 17
-- plans an SQL function anew for each call.)
create or replace function private.students_above(on_board text, score integer) returns integer
language plpgsql stable
set enable_seqscan = off
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

-- >>> leaderboard/tell.sql
-- Counts the scores of a board that have changed since they were last counted, at most `most` of
-- them. Waits for nobody: a score that is being changed at this moment is counted next time. Gives
-- the highest score that came or went; null when none did.
create or replace function private.count_scores(on_board text, most integer default 10000)
returns integer
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  highest integer;
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
  select max(greatest(shown_score, counted_score)) into highest from changed;
  return highest;
end;
$$;

-- Tells the top of a leaderboard, if it is another than was last told: what has changed in it
-- (`entries`), who has left it (`removed`), and how many students there are; all of it (`isWhole`)
-- the first time and in a new week. `highest` is the highest score that has changed: where it lies
-- below the last place, the top needn't be looked at. Null: look in any case.
create or replace function private.tell_top(scope text, highest integer default null) returns void
language plpgsql
as $$
declare
  on_board text := private.board_of(scope);
  told private.leaderboard_told;
  is_whole boolean;
  entries jsonb;
  students integer := private.students_on(on_board);
  changed jsonb;
  removed jsonb;
begin
  select * into told from private.leaderboard_told where leaderboard_told.scope = tell_top.scope;
  is_whole := told.scope is null or told.board <> on_board;
  entries := case
    when not is_whole
      and not told.is_stale
      and jsonb_array_length(told.entries) = 100
      and highest < (told.entries -> -1 ->> 'points')::numeric * 10
      then told.entries
    else private.leaderboard_top(on_board, 100)
  end;
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
-- changed on costs nothing. Two runs at the same time can't be: the second does nothing. Gives the
-- number of boards looked at.
create or replace function private.tell_leaderboards() returns integer
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  changed_scope text;
  highest integer;
  boards integer := 0;
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
    highest := private.count_scores(private.board_of(changed_scope));
    continue when changed_scope like 'week-%';
    perform private.tell_top(changed_scope, highest);
    perform private.tell_followers(changed_scope);
    boards := boards + 1;
  end loop;
  delete from private.leaderboard_followers where until < now() - interval '1 hour';
  return boards;
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
