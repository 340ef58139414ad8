-- Where a notification is follows from two moments: archived, snoozed, else in the inbox. Its owner
-- sets them, by the API or by REST. The moment of archiving is the server's, the first one stays;
-- one is snoozed until a moment to come, at most a year away. History that is imported
-- (`homeroom.quiet`) may have been snoozed until any moment.
create or replace function private.check_box() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.archived_at is not null then
    new.archived_at := coalesce(old.archived_at, clock_timestamp());
  end if;
  if new.snoozed_until is distinct from old.snoozed_until
    and (new.snoozed_until <= clock_timestamp()
      or new.snoozed_until > clock_timestamp() + interval '1 year')
  then
    raise exception 'SNOOZE_OUT_OF_RANGE' using errcode = '22023';
  end if;
  return new;
end;
$$;

create or replace trigger check_box
before update of archived_at, snoozed_until on public.notifications
for each row
when ((new.archived_at is not null or new.snoozed_until is not null)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.check_box();

-- Brings back what was snoozed until now: unread, on top of the inbox; its owners are told. Gives
-- how many came back. Run every ten seconds, and not too many at once: many choose eight o'clock,
-- and their topics are locked until all of them are told. What expires while it is snoozed doesn't
-- come back.
create or replace function private.wake_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  woken integer;
begin
  update public.notifications
  set snoozed_until = null, woken_at = clock_timestamp(), read_at = null
  where id in (
    select id from public.notifications
    where snoozed_until <= now()
      and (expires_at is null or expires_at > now())
    order by snoozed_until
    limit 5000
    for no key update skip locked
  );
  get diagnostics woken = row_count;
  return woken;
end;
$$;

-- Both moments are the owner's.
grant update (archived_at, snoozed_until) on public.notifications to authenticated;
