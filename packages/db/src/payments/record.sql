-- How far a payment has come; it never goes back, in whatever order its events arrive.
create or replace function private.payment_rank(status text) returns integer
language sql immutable
as $$
  select case status when 'pending' then 0 when 'failed' then 1 when 'succeeded' then 2 else 3 end;
$$;

-- Takes what a provider told of a payment: `{ provider, eventId, type, happenedAt, reference,
-- userId, courseId, amountCents, refundedCents, currency, status }`, of which an event may know only
-- a part. Each event counts once; events of a payment come one after the other, and add up to the
-- same whatever their order. Gives what came of it: `repeated`, `recorded`, `enrolled`, `refunded`,
-- `unmatched` (paid, and nobody or no course to give it to: an operator has to look).
--
-- A payment that has come enrolls its student. One that was given back in full ends the enrollment,
-- unless the course was finished (a certificate is not taken back by money) or paid for by another
-- payment; what was learned is kept for when they return. Given back in part, it ends nothing.
create or replace function private.record_payment(told jsonb) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  source text := told ->> 'provider';
  subject text := told ->> 'reference';
  before public.payments;
  after public.payments;
  came_of_it text := 'recorded';
begin
  insert into private.payment_events (provider, id, type, reference, happened_at)
  values (
    source, told ->> 'eventId', told ->> 'type', subject,
    (told ->> 'happenedAt')::timestamptz
  )
  on conflict do nothing;
  if not found then
    return 'repeated';
  end if;

  insert into public.payments (provider, provider_reference, amount_cents, currency)
  values (source, subject, (told ->> 'amountCents')::integer, upper(told ->> 'currency'))
  on conflict (provider, provider_reference) do nothing;
  select * into before from public.payments
  where provider = source and provider_reference = subject
  for update;

  after := before;
  after.refunded_cents := greatest(before.refunded_cents, (told ->> 'refundedCents')::integer);
  after.user_id := coalesce(before.user_id, (
    select id from public.users where id::text = told ->> 'userId'
  ));
  after.course_id := coalesce(before.course_id, (
    select id from public.courses where id::text = told ->> 'courseId'
  ));
  if private.payment_rank(told ->> 'status') > private.payment_rank(before.status) then
    after.status := told ->> 'status';
  end if;
  if after.refunded_cents > 0 and after.refunded_cents >= after.amount_cents then
    after.status := 'refunded';
  end if;
  update public.payments
  set
    refunded_cents = after.refunded_cents,
    user_id = after.user_id,
    course_id = after.course_id,
    status = after.status,
    paid_at = coalesce(paid_at, case
      when told ->> 'status' = 'succeeded' then (told ->> 'happenedAt')::timestamptz
    end)
  where id = before.id;

  if after.status = 'refunded' and before.status <> 'refunded' then
    perform private.end_refunded_enrollment(after, before.status = 'succeeded');
    came_of_it := 'refunded';
  elsif after.status = 'succeeded' and (after.user_id is null or after.course_id is null) then
    came_of_it := 'unmatched';
  elsif after.status = 'succeeded' and (
    before.status <> 'succeeded' or before.user_id is null or before.course_id is null
  ) then
    came_of_it := private.enroll_for_payment(after);
  end if;
  update private.payment_events set outcome = came_of_it
  where provider = source and id = told ->> 'eventId';
  return came_of_it;
end;
$$;
grant execute on function private.record_payment(jsonb) to service_role;

-- Gives a student what they have paid for, and says so. A payment is never lost over it: where the
-- course is no longer there to be given, it is `unmatched`.
create or replace function private.enroll_for_payment(payment public.payments) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  course_title text := (select title from public.courses where id = payment.course_id);
begin
  begin
    perform private.enroll_for(payment.user_id, payment.course_id);
  exception when no_data_found then
    return 'unmatched';
  end;
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', payment.user_id,
    'type', 'payment',
    'level', 'success',
    'title', 'Payment received',
    'message', format('You are enrolled in "%s". Thank you.', course_title),
    'data', jsonb_build_object('course_id', payment.course_id, 'course_title', course_title),
    'related_entity_type', 'payment',
    'related_entity_id', payment.id,
    'dedupe_key', 'payment ' || payment.id
  )));
  return 'enrolled';
end;
$$;

-- Ends what a refunded payment gave. `was_paid`: it had come, and given something, before.
create or replace function private.end_refunded_enrollment(
  payment public.payments,
  was_paid boolean
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  has_ended boolean;
  course_title text := (select title from public.courses where id = payment.course_id);
begin
  if not was_paid or payment.user_id is null or payment.course_id is null then
    return;
  end if;
  update public.enrollments set status = 'cancelled'
  where user_id = payment.user_id
    and course_id = payment.course_id
    and status = 'active'
    and not exists (
      select 1 from public.payments as other
      where other.user_id = payment.user_id
        and other.course_id = payment.course_id
        and other.status = 'succeeded'
        and other.id <> payment.id
    );
  has_ended := found;
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', payment.user_id,
    'type', 'payment',
    'level', 'info',
    'title', 'Payment refunded',
    'message', case
      when has_ended then format(
        'Your payment for "%s" was refunded, and your enrollment has ended. What you have learned is kept.',
        course_title
      )
      else format('Your payment for "%s" was refunded.', course_title)
    end,
    'data', jsonb_build_object('course_id', payment.course_id, 'course_title', course_title),
    'related_entity_type', 'payment',
    'related_entity_id', payment.id,
    'dedupe_key', 'refund ' || payment.id
  )));
end;
$$;
