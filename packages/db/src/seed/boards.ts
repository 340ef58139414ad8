import { sql } from 'drizzle-orm';

/** What points before a week add up to, for the movement since it began; and what all do. */
const SCORES = sql`
  insert into private.leaderboard_scores (
    board, user_id, score, shown_score, week, score_before_week
  )
  select
    boards.board,
    entry.user_id,
    sum(entry.tenths),
    case when private.is_shown(entry.user_id) then sum(entry.tenths) end,
    private.week_of(now()),
    coalesce(sum(entry.tenths) filter (where private.week_of(entry.created_at) < private.week_of(now())), 0)
  from public.point_entries as entry
  cross join lateral (
    values
      ('global'),
      (entry.course_id::text),
      (case when private.week_of(entry.created_at) = private.week_of(now()) then private.board_of('week') end)
  ) as boards (board)
  where boards.board is not null
  group by boards.board, entry.user_id`;

/** The counts with which the week began. */
const COUNTS_BEFORE = sql`
  insert into private.leaderboard_counts (board, level, bucket, students)
  select 'before-' || board, level, score_before_week >> (6 * level), count(*)
  from private.leaderboard_scores, generate_series(0, 2) as level
  where board not like 'week-%' and score_before_week > 0 and shown_score is not null
  group by 1, 2, 3`;

/** Told when the first job runs; nothing is told while the school is written. */
const TO_BE_TOLD = sql`
  insert into private.leaderboard_told (scope, board, is_stale)
  select distinct case when board like 'week-%' then 'week' else board end, board, true
  from private.leaderboard_scores
  union
  select 'week', private.board_of('week'), true
  -- The job may have run already.
  on conflict (scope) do update set board = excluded.board, is_stale = true`;

/** The statements that put the points of the ledger on the leaderboards. */
export const BOARDS = [
  SCORES,
  COUNTS_BEFORE,
  sql`
    select private.count_scores(board)
    from (select distinct board from private.leaderboard_scores) as boards`,
  TO_BE_TOLD,
];
