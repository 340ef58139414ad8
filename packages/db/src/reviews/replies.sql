-- What students write of a course, and nothing else of the row.
grant insert (user_id, course_id, rating, comment), update (rating, comment), delete
on public.course_reviews to authenticated;

-- The staff of a course replies to a review, or takes the reply back with an empty one. Gives false
-- where there is no such review for the caller.
create or replace function public.reply_to_review(review_id uuid, reply text) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update public.course_reviews as review
  set
    reply = btrim(reply_to_review.reply),
    replied_by = case when btrim(reply_to_review.reply) <> '' then auth.uid() end,
    replied_at = case when btrim(reply_to_review.reply) <> '' then now() end
  where review.id = review_id and review.course_id in (select private.taught_course_ids());
  return found;
end;
$$;
grant execute on function public.reply_to_review(uuid, text) to authenticated;

-- The course's members are told that its reviews have changed; what they say is read where it is
-- shown.
create or replace function private.tell_reviews() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || case tg_op when 'DELETE' then old.course_id else new.course_id end,
    'reviews.changed',
    '{}'
  );
  return null;
end;
$$;

create or replace trigger tell_reviews
after insert or update or delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_reviews();
