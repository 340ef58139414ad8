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
