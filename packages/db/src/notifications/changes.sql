-- Whoever changes notifications, by the API, by REST or by hand: each change is told on the
-- owner's topic, with how it moves the unread count. What the functions of this package write,
-- they tell themselves (`homeroom.telling`); history that is imported is not told
-- (`homeroom.quiet`).

-- Whether a notification is in the unread count: not when it is put away, for good or for a while.
create or replace function private.counts_as_unread(notification public.notifications)
returns boolean
language sql immutable
as $$
  select notification.read_at is null and notification.box = 'inbox';
$$;

create or replace function private.tell_created_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || inserted.user_id,
        'event', 'notification.created',
        'payload', jsonb_build_object(
          'notification', private.notification_json(inserted),
          'unreadDelta', private.counts_as_unread(inserted)::integer
        )
      )::text,
      ',' order by inserted.created_at, inserted.id
    )
    from inserted
  ));
  return null;
end;
$$;

create or replace trigger tell_created_notifications
after insert on public.notifications
referencing new table as inserted
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_created_notifications();

create or replace function private.tell_changed_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || after.user_id,
        'event', 'notification.updated',
        'payload', jsonb_build_object(
          'notification', private.notification_json(after),
          'unreadDelta',
          private.counts_as_unread(after)::integer - private.counts_as_unread(before)::integer
        )
      )::text,
      ',' order by after.created_at, after.id
    )
    from before
    join after using (id)
    where before is distinct from after
  ));
  return null;
end;
$$;

create or replace trigger tell_changed_notifications
after update on public.notifications
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_changed_notifications();

create or replace function private.tell_removed_notifications() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || removed.user_id,
        'event', 'notification.removed',
        'payload', jsonb_build_object(
          'id', removed.id,
          'unreadDelta', -private.counts_as_unread(removed)::integer
        )
      )::text,
      ',' order by removed.created_at, removed.id
    )
    from removed
  ));
  return null;
end;
$$;

create or replace trigger tell_removed_notifications
after delete on public.notifications
referencing old table as removed
for each statement
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_removed_notifications();

-- Reading happens when the server says so; the first reading stays the moment of reading.
create or replace function private.stamp_read_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.read_at := coalesce(old.read_at, clock_timestamp());
  return new;
end;
$$;

create or replace trigger stamp_read_at
before update of read_at on public.notifications
for each row
when (new.read_at is not null
  and current_setting('homeroom.telling', true) is distinct from 'by hand')
execute function private.stamp_read_at();

-- The read mark and the whole row are the owner's; the text is not.
grant update (read_at), delete on public.notifications to authenticated;
grant insert (user_id, type, channel, course_id, enabled), update (enabled), delete
on public.notification_preferences to authenticated;
grant select on public.notification_preferences to authenticated;
