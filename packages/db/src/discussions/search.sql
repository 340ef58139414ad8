-- The messages of a course that hold the words (in the manner of web searches: "a phrase", or,
-- -without), best first, newer before older among equals. `excerpt` marks the words with the
-- control characters 1 and 2, which no message is shown with, so that no markup is made here. For
-- the course's members; raises COURSE_NOT_FOUND for others. It reads past row level security,
-- under which Postgres would not use the index of words: so the course is checked here.
create or replace function private.search_thread_messages(
  course uuid,
  words text,
  max integer,
  after integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  wanted tsquery := websearch_to_tsquery('pg_catalog.english', words);
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(
      jsonb_build_object(
        'messageId', id,
        'number', number,
        'threadId', thread_id,
        'threadTitle', title,
        'sender', private.person_json(sender_id),
        'createdAt', private.iso_time(created_at),
        'excerpt', ts_headline(
          'pg_catalog.english',
          translate(content, e'\x01\x02', ''),
          wanted,
          e'StartSel=\x01, StopSel=\x02, MaxWords=30, MinWords=12'
        )
      )
      order by rank desc, created_at desc, id
    )
    from (
      select message.*, thread.title,
        ts_rank(to_tsvector('pg_catalog.english', message.content), wanted) as rank
      from public.thread_messages as message
      join public.discussion_threads as thread on thread.id = message.thread_id
      where to_tsvector('english', message.content) @@ wanted
        and thread.course_id = course
        and message.deleted_at is null
      order by rank desc, message.created_at desc, message.id
      limit least(max, 100)
      offset least(after, 1000)
    ) as hits
  ), '[]');
end;
$$;
grant execute on function private.search_thread_messages(uuid, text, integer, integer)
to authenticated;
