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
