-- A commit is heard of before it can be read: Realtime reads it from the log, which is written a
-- moment before other transactions see it; on a busy machine that moment is long enough for
-- somebody to join the topic and to load a snapshot. Without more, that person would lack an event
-- which they will never hear, and not know until the next one shows the gap. So who reads a head
-- looks whether somebody is writing the next one, waits for the writer, and reads again.

-- How long a reader waits for a writer: 100 times 5 ms. One that takes longer (an announcement to a
-- hundred thousand) hasn't come to its commit yet, so its event is still to be heard.

-- `seq`, unless its `writer` (the `xmax` of the head that the caller's snapshot sees) has committed:
-- then SETTLE_AND_REPEAT, because the same in a new snapshot is complete. Only where
-- `homeroom.settle` is on, by those who repeat.
create or replace function private.settled_seq(seq bigint, writer xid) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  next_id bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  -- With its epoch: of all ids that end like it, the one nearest to the snapshot's.
  writer_id xid8 := (
    next_id - 2147483648
    + (writer::text::bigint - next_id % 4294967296 + 6442450944) % 4294967296
  )::text::xid8;
begin
  if current_setting('homeroom.settle', true) is distinct from 'on' then
    return seq;
  end if;
  for attempt in 1..100 loop
    case pg_xact_status(writer_id)
      when 'in progress' then
        perform pg_sleep(0.005);
      when 'committed' then
        raise exception 'SETTLE_AND_REPEAT' using errcode = '40001';
      else
        return seq;
    end case;
  end loop;
  return seq;
end;
$$;
grant execute on function private.settled_seq(bigint, xid) to authenticated, service_role;

-- Whether somebody is writing can be seen of a head that there is, so each topic has one from the
-- moment on that there is what it is about.
create or replace function private.begin_topics() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  subject text;
begin
  if tg_table_name = 'certificates' then
    subject := new.serial_number;
  else
    subject := new.id;
  end if;
  for argument in 0..tg_nargs - 1 loop
    insert into private.live_topics (topic, seq)
    values (format(tg_argv[argument], subject), 0)
    on conflict do nothing;
  end loop;
  return null;
end;
$$;

create or replace trigger begin_topics after insert on public.users
for each row execute function private.begin_topics('user:%s');

create or replace trigger begin_topics after insert on public.courses
for each row execute function private.begin_topics('course:%s', 'course:%s:staff', 'leaderboard:%s');

create or replace trigger begin_topics after insert on public.discussion_threads
for each row execute function private.begin_topics('thread:%s');

create or replace trigger begin_topics after insert on public.workshops
for each row execute function private.begin_topics('workshop:%s', 'workshop:%s:staff');

create or replace trigger begin_topics after insert on public.certificates
for each row execute function private.begin_topics('certificate:%s');

insert into private.live_topics (topic, seq)
select 'user:' || id, 0 from public.users
union all
select format(name, id), 0
from public.courses, unnest(array['course:%s', 'course:%s:staff', 'leaderboard:%s']) as name
union all
select 'thread:' || id, 0 from public.discussion_threads
union all
select format(name, id), 0
from public.workshops, unnest(array['workshop:%s', 'workshop:%s:staff']) as name
union all
select 'certificate:' || serial_number, 0 from public.certificates
union all
select unnest(array['leaderboard:global', 'leaderboard:week', 'school:workshops']), 0
on conflict do nothing;
