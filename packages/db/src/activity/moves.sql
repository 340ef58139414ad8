-- What moves the figures of a course without being an activity of a student's (stats.sql): told to
-- the staff as differences.
create or replace function private.tell_stats(course uuid, delta jsonb) returns void
language plpgsql
as $$
begin
  if course is not null then
    perform private.publish(private.staff_topic(course), 'stats.changed', delta);
  end if;
end;
$$;

create or replace function private.after_enrollment_erased() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_stats(course_id, jsonb_build_object(
    'enrolled', -count(*), 'completed', -count(*) filter (where status = 'completed')
  ))
  from erased where status <> 'cancelled'
  group by course_id;
  return null;
end;
$$;

create or replace trigger after_enrollment_erased
after delete on public.enrollments
referencing old table as erased
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment_erased();

create or replace function private.after_review_changed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'ratingCount', -1, 'ratingSum', -old.rating
    ));
  else
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'ratingSum', new.rating - old.rating
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_review_changed
after update of rating on public.course_reviews
for each row
when (new.rating <> old.rating and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

create or replace trigger after_review_removed
after delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

-- A payment given back, or removed; and one that counts without being told as an activity.
create or replace function private.after_payment_moved() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.status = 'succeeded' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'currency', old.currency, 'cents', -old.amount_cents
    ));
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.status = 'succeeded'
    and (old.status in ('succeeded', 'refunded') or new.user_id is null)) then
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'currency', new.currency, 'cents', new.amount_cents
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_payment_moved
after update of status, amount_cents, currency, course_id on public.payments
for each row
when ((old.status, old.amount_cents, old.currency, old.course_id)
    is distinct from (new.status, new.amount_cents, new.currency, new.course_id)
  and 'succeeded' in (old.status, new.status)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_of_nobody
after insert on public.payments
for each row
when (new.status = 'succeeded' and new.user_id is null
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_removed
after delete on public.payments
for each row
when (old.status = 'succeeded' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

-- A thread that a student opens is a question, for the feed of the course.
create or replace function private.after_question() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select
    created_by, course_id, 'asked', jsonb_build_object('thread_id', id, 'thread_title', title)
  from asked
  where created_by is not null and not private.is_course_staff(course_id, created_by);
  return null;
end;
$$;

create or replace trigger after_question
after insert on public.discussion_threads
referencing new table as asked
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_question();
