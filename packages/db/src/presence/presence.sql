-- Ends the presence of those whose heartbeat stopped, such as a killed browser's. Run each minute.
create or replace function private.end_ghost_presence() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  ended integer;
begin
  update public.student_presence
  set status = 'offline'
  where id in (
    select id from public.student_presence
    where status <> 'offline' and last_seen_at < now() - interval '90 seconds'
    for update skip locked
  );
  get diagnostics ended = row_count;
  return ended;
end;
$$;
