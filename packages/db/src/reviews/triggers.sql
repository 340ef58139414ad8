-- A review of a course.
create or replace function private.after_review() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(user_id), array_agg(course_id), array_agg(id),
    array_agg(jsonb_build_object('rating', rating))
  into students, courses, entities, details
  from inserted;
  if students is not null then
    perform private.tell_instructors(
      'review', 'reviewed', 'New Course Review', '%s reviewed "%s"', 'review',
      students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_review
after insert on public.course_reviews
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review();
