-- A field of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is shown as
-- text, by an apostrophe. Of a hashed one that can be taken back (chain.ts does): the apostrophe is
-- also put before those that have one in that place.
create or replace function private.csv_field(field text, is_hashed boolean) returns text
language sql immutable
as $$
  select '"' || replace(
    case
      when field ~ (case when is_hashed then '^''*[=+\-@\t\r]' else '^[=+\-@\t\r]' end)
        then '''' || field
      else field
    end,
    '"', '""'
  ) || '"';
$$;

-- A workshop's log as a CSV file: what is hashed first, then the names as they are today. For the
-- workshop's staff. `packages/db/src/attendance/verify-export.ts` verifies it.
create or replace function private.attendance_export(workshop uuid) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.staffed_workshop(workshop);
  return 'previous_hash,workshop_id,number,user_id,action,method,happened_at,recorded_at,'
    || 'actor_id,session_id,reason,hash,name,actor_name' || e'\r\n'
    || coalesce((
      select string_agg(
        concat_ws(',',
          private.csv_field(entry.previous_hash, true),
          private.csv_field(entry.workshop_id::text, true),
          entry.number,
          private.csv_field(entry.user_id::text, true),
          private.csv_field(entry.action, true),
          private.csv_field(entry.method, true),
          private.csv_field(private.iso_time(entry.happened_at), true),
          private.csv_field(private.iso_time(entry.recorded_at), true),
          private.csv_field(entry.actor_id::text, true),
          private.csv_field(coalesce(entry.session_id, ''), true),
          private.csv_field(entry.reason, true),
          private.csv_field(entry.hash, true),
          private.csv_field(coalesce(private.person_json(entry.user_id) ->> 'name', ''), false),
          private.csv_field(coalesce(private.person_json(entry.actor_id) ->> 'name', ''), false)
        ) || e'\r\n',
        '' order by entry.number
      )
      from public.attendance_log as entry
      where entry.workshop_id = workshop
    ), '');
end;
$$;
grant execute on function private.attendance_export(uuid) to authenticated;
