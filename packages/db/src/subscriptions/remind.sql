-- Reminds everybody whose subscription ends in 7, 3 or 1 days, and isn't renewed by itself, once each for every date at which it
-- would end, and ends what is over. A run that comes late sends the reminder that fits now, never
-- two at once. One statement, whatever their number. Gives how many were reminded. Run every ten
-- minutes.
create or replace function private.remind_subscriptions() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reminded integer;
begin
  with due as (
    select
      id, user_id, plan, expires_at,
      case
        when expires_at <= now() + interval '1 day' then 1
        when expires_at <= now() + interval '3 days' then 3
        else 7
      end as days
    from public.subscriptions
    where status = 'active' and not renews_automatically and expires_at > now() and expires_at <= now() + interval '7 days'
  ), first as (
    insert into private.subscription_reminders (subscription_id, expires_at, days_before)
    select id, expires_at, days from due
    on conflict do nothing
    returning subscription_id, days_before
  )
  insert into public.notifications (
    user_id, type, level, title, message, data, related_entity_type, related_entity_id, expires_at
  )
  select
    due.user_id, 'subscription', 'warning', 'Subscription Reminder',
    format(
      'Your subscription expires in %s. Renew to continue learning.',
      case due.days when 1 then 'a day' else due.days || ' days' end
    ),
    jsonb_build_object('plan', due.plan, 'days', due.days, 'expires_at', due.expires_at),
    'subscription', due.id, due.expires_at
  from first
  join due on due.id = first.subscription_id
  where not exists (
    select 1 from public.notification_preferences
    where user_id = due.user_id and type = 'subscription' and channel = 'app'
      and course_id is null and not enabled
  );
  get diagnostics reminded = row_count;
  update public.subscriptions set status = 'expired'
  where status = 'active'
    -- A provider takes some hours to renew what it renews.
    and expires_at + case when renews_automatically then interval '1 day' else '0' end <= now();
  return reminded;
end;
$$;
