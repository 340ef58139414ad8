grant select on public.thread_message_reports to authenticated;

-- A message that the caller may read; raises MESSAGE_NOT_FOUND otherwise.
create or replace function private.readable_thread_message(message uuid)
returns public.thread_messages
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.thread_messages;
begin
  select thread_messages.* into target
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message
    and thread_messages.deleted_at is null
    and private.is_course_member(thread.course_id, auth.uid());
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- An instructor says that a message is right, or takes that back. For the course's staff.
create or replace function private.endorse_thread_message(message uuid, is_endorsed boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
begin
  if not private.is_course_staff(private.check_reads_thread(target.thread_id), auth.uid()) then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  update public.thread_messages
  set endorsed_by = case when is_endorsed then coalesce(endorsed_by, auth.uid()) end
  where id = message and deleted_at is null
  returning * into target;
  return private.thread_message_json(target);
end;
$$;
grant execute on function private.endorse_thread_message(uuid, boolean) to authenticated;

-- The caller thinks that a message shouldn't stand: kept as it is now, and its course's staff is
-- notified. Reported again by the same person, the first report stands. Gives the report's id.
create or replace function private.report_thread_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
  thread public.discussion_threads;
  report uuid;
begin
  select * into thread from public.discussion_threads where id = target.thread_id;
  insert into public.thread_message_reports
    (message_id, course_id, reporter_id, reason, note, snapshot)
  values (
    message, thread.course_id, auth.uid(), report_thread_message.reason,
    report_thread_message.note,
    private.thread_message_json(target) || jsonb_build_object('threadTitle', thread.title)
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.thread_message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_thread_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', staff.user_id,
      'type', 'system',
      'level', 'warning',
      'title', 'A message was reported',
      'message', format('In "%s": %s', thread.title, private.excerpt(target.content)),
      'course_id', thread.course_id,
      'related_entity_type', 'thread',
      'related_entity_id', thread.id,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object(
        'course_id', thread.course_id, 'thread_id', thread.id, 'message_id', message
      )
    ))
    from public.course_instructors as staff
    where staff.course_id = thread.course_id and staff.user_id <> auth.uid()
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_thread_message(uuid, text, text) to authenticated;

-- A report as the API and the events show it to the course's staff.
create or replace function private.thread_report_json(report public.thread_message_reports)
returns jsonb
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
grant execute on function private.thread_report_json(public.thread_message_reports)
to authenticated;

-- Tells the course's staff how a report stands.
create or replace function private.tell_thread_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    format('course:%s:staff', course_id),
    'report.updated',
    jsonb_build_object('report', private.thread_report_json(thread_message_reports))
  )
  from public.thread_message_reports
  where id = report;
$$;

-- What becomes of the open reports of a message: it is removed, or nothing was wrong with it. For
-- the course's staff. Gives how many reports that resolved.
create or replace function private.resolve_thread_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
  resolved uuid[];
begin
  select thread.course_id into course
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message;
  if course is null or not private.is_course_staff(course, auth.uid()) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if resolve_thread_reports.status = 'removed' then
    perform private.delete_thread_message(message);
  end if;
  with changed as (
    update public.thread_message_reports as report
    set status = resolve_thread_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_thread_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_thread_reports(uuid, text) to authenticated;
