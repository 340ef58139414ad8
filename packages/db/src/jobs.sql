-- The list of jobs.ts for pg_cron, where it is installed; a job of the same name is replaced.
-- Elsewhere the stack runs them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()');
    perform cron.schedule('expire-notifications', '* * * * *', 'select private.expire_notifications()');
    perform cron.schedule('end-ghost-presence', '10 seconds', 'select private.end_ghost_presence()');
    perform cron.schedule('tell-leaderboards', '1 seconds', 'select private.tell_leaderboards()');
    perform cron.schedule('tell-crowds', '1 seconds', 'select private.tell_crowds()');
    perform cron.schedule('tend-workshops', '* * * * *', 'select private.tend_workshops()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
    perform cron.schedule('count-course-stats', '2 seconds', 'select private.count_course_stats()');
    perform cron.schedule('mend-course-stats', '41 3 * * *', 'select private.mend_course_stats()');
    perform cron.schedule('send-announcements', '10 seconds', 'select private.send_due_announcement()');
  end if;
end;
$$;
