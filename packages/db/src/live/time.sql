-- A moment as the API and the events write it: UTC, to the microsecond.
create or replace function private.iso_time(moment timestamptz) returns text
language sql stable
as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
$$;
grant execute on function private.iso_time(timestamptz) to authenticated, service_role;

-- A moment in milliseconds since 1970, with the microseconds behind the point.
create or replace function private.epoch_ms(moment timestamptz) returns numeric
language sql stable
as $$
  select trim_scale(extract(epoch from moment) * 1000);
$$;
