-- A report as the API and the events show it to administrators.
create or replace function private.message_report_json(report public.message_reports) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', report.id,
    'messageId', report.message_id,
    'reporter', private.person_json(report.reporter_id),
    'reason', report.reason,
    'note', report.note,
    'snapshot', report.snapshot,
    'status', report.status,
    'resolvedBy', private.person_json(report.resolved_by),
    'resolvedAt', private.iso_time(report.resolved_at),
    'createdAt', private.iso_time(report.created_at)
  );
$$;
grant execute on function private.message_report_json(public.message_reports) to authenticated;

-- Tells the administrators how a report stands.
create or replace function private.tell_message_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || admin.id,
    'message_report.updated',
    jsonb_build_object('report', private.message_report_json(message_reports))
  )
  from public.message_reports, public.users as admin
  where message_reports.id = report and admin.role = 'admin' and admin.is_active;
$$;

-- Reports a message that the caller has received, as it is, to the administrators. Gives the
-- report's id; the first one stands.
create or replace function private.report_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.messages;
  report uuid;
begin
  select * into target from public.messages
  where id = message and recipient_id = auth.uid();
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.message_reports (message_id, reporter_id, reason, note, snapshot)
  values (
    message, auth.uid(), report_message.reason, report_message.note,
    private.direct_message_json(target)
      || jsonb_build_object('sender', private.person_json(target.sender_id))
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_message_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', id,
      'type', 'system',
      'level', 'warning',
      'title', 'A direct message was reported',
      'message', private.excerpt(target.content),
      'related_entity_type', 'message_report',
      'related_entity_id', report,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object('report_id', report, 'sender_id', target.sender_id)
    ))
    from public.users
    where role = 'admin' and is_active
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_message(uuid, text, text) to authenticated;

-- Takes away what a direct message said, and tells both. Its number stays, so nothing is counted
-- anew; what was reported keeps it.
create or replace function private.remove_message(message uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  target public.messages;
begin
  update public.messages
  set content = '', removed_at = clock_timestamp()
  where id = message and removed_at is null
  returning * into target;
  if not found then
    return;
  end if;
  select * into conversation from public.conversations where id = target.conversation_id;
  update public.notifications
  set message = 'This message was removed.'
  where user_id = target.recipient_id
    and related_entity_id = conversation.id
    and (data ->> 'message_number')::integer = target.number;
  perform private.publish(
    'user:' || person,
    'direct_message.removed',
    jsonb_build_object(
      'message', private.direct_message_json(target),
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', 0
    )
  )
  from unnest(array[conversation.low_id, conversation.high_id]) as person
  where person is not null;
end;
$$;

-- What becomes of the open reports of a direct message: it is removed, or nothing was wrong with it.
-- For administrators. Gives how many reports that resolved.
create or replace function private.resolve_message_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  resolved uuid[];
begin
  if not private.is_admin() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if resolve_message_reports.status = 'removed' then
    perform private.remove_message(message);
  end if;
  with changed as (
    update public.message_reports as report
    set status = resolve_message_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_message_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_message_reports(uuid, text) to authenticated;
