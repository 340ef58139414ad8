-- The tables that the guides name for Realtime's `postgres_changes`. Each is under row level
-- security, so a subscriber gets the rows that it may read.
do $$
declare
  wanted text;
begin
  foreach wanted in array array[
    'notifications', 'enrollments', 'workshop_registrations', 'student_activity',
    'course_reviews', 'student_presence', 'payments', 'lesson_completions', 'messages',
    'discussion_threads', 'thread_messages'
  ] loop
    if not exists (
      select 1 from pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = wanted
    ) then
      execute format('alter publication supabase_realtime add table public.%I', wanted);
    end if;
  end loop;
end;
$$;
