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
