-- For a column `time_zone`: a zone that Postgres knows.
create or replace function private.check_time_zone() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform now() at time zone new.time_zone;
  return new;
exception when invalid_parameter_value then
  raise exception 'There is no time zone "%"', new.time_zone
    using errcode = '22023', hint = 'Use a name such as Europe/Vienna.';
end;
$$;
revoke execute on function private.check_time_zone() from public;
