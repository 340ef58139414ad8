-- A payment that succeeded, at once or in the end: told once. A row trigger, since payments come
-- one by one and succeed by insert or by update.
create or replace function private.after_successful_payment() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
begin
  if new.user_id is not null and new.course_id is not null then
    perform private.tell_instructors(
      'payment', 'paid', 'Payment Received', '%s paid for "%s"', 'payment',
      array[new.user_id], array[new.course_id], array[new.id],
      array[jsonb_build_object('amount_cents', new.amount_cents, 'currency', new.currency)]
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_payment_inserted
after insert on public.payments
for each row
when (new.status = 'succeeded' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_successful_payment();

create or replace trigger after_payment_updated
after update of status on public.payments
for each row
when (new.status = 'succeeded' and old.status not in ('succeeded', 'refunded')
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_successful_payment();
