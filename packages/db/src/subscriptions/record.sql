-- Takes what a provider told of a subscription: `{ provider, eventId, type, kind, rank, happenedAt,
-- reference, userId, plan, status, startedAt, expiresAt, cancelledAt, renews, invoice }`. `kind` says
-- of what: `state` (the subscription as it was then), `paid` or `failed` (an invoice of it).
--
-- A subscription is what its events add up to: all of them are kept, each once, and it is computed
-- from them anew. Its state is that of the newest by the provider's clock, and by `rank` within one
-- second; it lasts as long as any event says that it is paid for, until one says that it has ended.
-- So the end is the same whatever the order in which they come. Gives `repeated`, `recorded`, or
-- `unmatched` (it is nobody's whom we know: an operator has to look).
create or replace function private.record_subscription(told jsonb) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  source text := told ->> 'provider';
  subject text := told ->> 'reference';
  person uuid := (select id from public.users where id::text = told ->> 'userId');
begin
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'subscription', source, subject), 0));
  insert into private.subscription_events (provider, id, reference, type, rank, happened_at, told, outcome)
  values (
    source, told ->> 'eventId', subject, told ->> 'type', (told ->> 'rank')::smallint,
    (told ->> 'happenedAt')::timestamptz, told,
    case when person is null then 'unmatched' else 'recorded' end
  )
  on conflict do nothing;
  if not found then
    return 'repeated';
  end if;
  if person is null then
    return 'unmatched';
  end if;
  perform private.settle_subscription(person, source, subject);
  if told ->> 'kind' = 'failed' then
    perform private.tell_failed_renewal(person, told);
  end if;
  return 'recorded';
end;
$$;
grant execute on function private.record_subscription(jsonb) to service_role;

-- Writes the subscription that the events about it add up to; none before it has begun. Tells its
-- owner when it has ended.
create or replace function private.settle_subscription(person uuid, source text, subject text)
returns void
language plpgsql
as $$
declare
  before public.subscriptions;
  after public.subscriptions;
  state jsonb;
  has_begun boolean;
  paid_until timestamptz;
begin
  select event.told into state
  from private.subscription_events as event
  where event.provider = source and event.reference = subject and event.told ->> 'kind' = 'state'
  order by event.happened_at desc, event.rank desc, event.id desc
  limit 1;
  select
    max((event.told ->> 'expiresAt')::timestamptz) filter (where event.told ->> 'kind' = 'paid'),
    bool_or(event.told ->> 'kind' = 'paid' or event.told ->> 'status' in ('active', 'past_due')),
    coalesce(min((event.told ->> 'startedAt')::timestamptz), min(event.happened_at)),
    coalesce(state ->> 'plan', max(event.told ->> 'plan'), 'subscription')
  into paid_until, has_begun, after.started_at, after.plan
  from private.subscription_events as event
  where event.provider = source and event.reference = subject;
  if has_begun is not true then
    return;
  end if;
  select * into before from public.subscriptions
  where provider = source and provider_reference = subject;
  after.status := coalesce(nullif(state ->> 'status', 'pending'), 'active');
  after.expires_at := greatest(
    (state ->> 'expiresAt')::timestamptz,
    case when after.status <> 'cancelled' then paid_until end,
    after.started_at + interval '1 second'
  );
  insert into public.subscriptions as known (
    user_id, plan, status, provider, provider_reference, started_at, expires_at, cancelled_at,
    renews_automatically
  )
  values (
    person, after.plan, after.status, source, subject, after.started_at, after.expires_at,
    (state ->> 'cancelledAt')::timestamptz,
    coalesce((state ->> 'renews')::boolean, true)
  )
  on conflict (provider, provider_reference) do update
  set
    plan = excluded.plan,
    status = excluded.status,
    started_at = excluded.started_at,
    expires_at = excluded.expires_at,
    cancelled_at = excluded.cancelled_at,
    renews_automatically = excluded.renews_automatically
  returning * into after;
  if after.status = 'cancelled' and before.status is distinct from 'cancelled' then
    perform private.notify(jsonb_build_array(jsonb_build_object(
      'user_id', person,
      'type', 'subscription',
      'level', 'info',
      'title', 'Subscription ended',
      'message', 'Your subscription has ended. What you have learned is kept.',
      'data', jsonb_build_object('plan', after.plan),
      'related_entity_type', 'subscription',
      'related_entity_id', after.id,
      'dedupe_key', 'subscription ended ' || after.id
    )));
  end if;
end;
$$;

-- Tells that a payment didn't go through, once for each invoice, unless it has been paid since.
create or replace function private.tell_failed_renewal(person uuid, failure jsonb) returns void
language sql
as $$
  select private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', person,
    'type', 'subscription',
    'level', 'warning',
    'title', 'Payment failed',
    'message', 'The payment for your subscription failed. Update your card to keep it.',
    'data', jsonb_build_object('plan', failure ->> 'plan'),
    'dedupe_key', 'invoice failed ' || (failure ->> 'invoice')
  )))
  where not exists (
    select 1 from private.subscription_events as paid
    where paid.provider = failure ->> 'provider'
      and paid.reference = failure ->> 'reference'
      and paid.told ->> 'kind' = 'paid'
      and paid.told ->> 'invoice' = failure ->> 'invoice'
  );
$$;
