-- The list of jobs.ts, for `private.run_job`. A job that is taken off the list goes from here too.
insert into private.jobs (name, schedule, statement)
values
  ('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()'),
  ('expire-notifications', '* * * * *', 'select private.expire_notifications()'),
  ('end-ghost-presence', '10 seconds', 'select private.end_ghost_presence()'),
  ('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()'),
  ('tell-crowds', '1 seconds', 'select private.tell_crowds()'),
  ('tell-threads', '1 seconds', 'select private.tell_threads()'),
  ('tend-workshops', '* * * * *', 'select private.tend_workshops()'),
  ('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()'),
  ('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes'),
  ('remind-subscriptions', '*/10 * * * *', 'select private.remind_subscriptions()'),
  ('tidy-monitoring', '41 3 * * *', 'select private.tidy_monitoring()'),
  ('count-course-stats', '2 seconds', 'select private.count_course_stats()'),
  ('mend-course-stats', '51 3 * * *', 'select private.mend_course_stats()'),
  ('send-announcements', '10 seconds', 'select private.send_due_announcement()'),
  ('make-digests', '* * * * *', 'select private.make_digests()'),
  ('wake-notifications', '10 seconds', 'select private.wake_notifications()')
on conflict (name) do update set schedule = excluded.schedule, statement = excluded.statement;

-- For pg_cron, where it is installed; a job of the same name is replaced. Elsewhere the stack runs
-- them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule(name, schedule, format('select private.run_job(%L)', name))
    from private.jobs;
  end if;
end;
$$;
