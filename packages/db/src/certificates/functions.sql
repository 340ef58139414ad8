-- A certificate as its owner sees it, and as events tell it.
create or replace function private.certificate_json(certificate public.certificates) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', certificate.id,
    'courseId', certificate.course_id,
    'serialNumber', certificate.serial_number,
    'issuedAt', private.iso_time(certificate.issued_at),
    'revokedAt', private.iso_time(certificate.revoked_at),
    'revocationReason', certificate.revocation_reason
  );
$$;
grant execute on function private.certificate_json(public.certificates) to authenticated;

-- Says of a serial number whether we issued it, to whom and for what, and whether it still holds. For
-- everybody, also without an account: who has the number has been shown the certificate. `seq` is the
-- number of the newest event of its topic. Null for a number that isn't ours.
create or replace function public.verify_certificate(serial text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.certificate_json(certificate) - 'id' || jsonb_build_object(
    'isValid', certificate.revoked_at is null,
    'studentName', private.display_name(person.first_name, person.last_name),
    'courseTitle', course.title,
    'courseSlug', course.slug,
    'courseSummary', course.summary,
    'seq', private.live_cursor('certificate:' || certificate.serial_number),
    'instructors', coalesce((
      select jsonb_agg(private.display_name(teacher.first_name, teacher.last_name) order by teacher.id)
      from public.course_instructors as teaching
      join public.users as teacher on teacher.id = teaching.user_id
      where teaching.course_id = course.id
    ), '[]')
  )
  from public.certificates as certificate
  join public.users as person on person.id = certificate.user_id
  join public.courses as course on course.id = certificate.course_id
  where certificate.serial_number = upper(trim(serial));
$$;
grant execute on function public.verify_certificate(text) to anon, authenticated;

-- Takes a certificate back, with a reason that everybody may read, and the points that it gave. For
-- the staff of its course. A second time changes nothing. Tells its owner.
create or replace function public.revoke_certificate(certificate_id uuid, reason text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  certificate public.certificates;
begin
  select * into certificate from public.certificates where id = certificate_id for no key update;
  if not found or not (
    private.is_service() or private.is_course_staff(certificate.course_id, auth.uid())
  ) then
    raise exception 'CERTIFICATE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if certificate.revoked_at is not null then
    return private.certificate_json(certificate);
  end if;
  update public.certificates
  set revoked_at = now(), revocation_reason = reason
  where id = certificate_id
  returning * into certificate;
  update public.learning_stats
  set certificates_earned = certificates_earned - 1
  where user_id = certificate.user_id;
  perform private.award_points(certificate.user_id, jsonb_build_array(jsonb_build_object(
    'course', certificate.course_id,
    'reason', 'certificate_revoked',
    'subject', certificate.id,
    'tenths', -500
  )));
  perform private.publish(
    'user:' || certificate.user_id,
    'certificate.revoked',
    jsonb_build_object('certificate', private.certificate_json(certificate))
  );
  return private.certificate_json(certificate);
end;
$$;
grant execute on function public.revoke_certificate(uuid, text) to authenticated, service_role;

-- Tells of a certificate that was issued or taken back, whoever wrote the row: the staff of its
-- course, and who looks at its public page. (Its owner hears of it from who wrote it.)
create or replace function private.tell_certificate() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('certificate', private.certificate_json(new));
begin
  perform private.publish(
    'course:' || new.course_id || ':staff',
    case when new.revoked_at is null then 'certificate.issued' else 'certificate.revoked' end,
    told || jsonb_build_object('userId', new.user_id)
  );
  if tg_op = 'UPDATE' then
    perform private.publish(
      'certificate:' || new.serial_number,
      'certificate.changed',
      jsonb_build_object('isValid', new.revoked_at is null)
        || jsonb_build_object('certificate', (told -> 'certificate') - 'id')
    );
  end if;
  return null;
end;
$$;

create or replace trigger tell_certificate_issued
after insert on public.certificates
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_certificate();

create or replace trigger tell_certificate_changed
after update of revoked_at, revocation_reason on public.certificates
for each row
when (
  (old.revoked_at, old.revocation_reason) is distinct from (new.revoked_at, new.revocation_reason)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_certificate();
