-- Who and in what; status, progress and moments are the server's.
grant insert (user_id, course_id) on public.enrollments to authenticated;
