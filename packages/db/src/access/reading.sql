-- What users read, row by row as the policies say. Writing is granted beside each table.
grant select on
  public.users,
  public.courses,
  public.modules,
  public.course_instructors,
  public.enrollments,
  public.lesson_completions,
  public.module_completions,
  public.certificates,
  public.achievements,
  public.user_achievements,
  public.learning_stats,
  public.notifications,
  public.discussion_threads,
  public.thread_messages,
  public.messages,
  public.workshop_registrations,
  public.student_presence,
  public.student_activity,
  public.course_reviews,
  public.payments,
  public.subscriptions,
  public.course_versions,
  public.course_drafts,
  public.lesson_drafts,
  public.lesson_versions,
  public.lesson_progress,
  public.quiz_attempts,
  public.point_entries,
  public.hidden_students,
  public.course_stats,
  public.course_activity_hours,
  public.announcements,
  public.announcement_courses
to authenticated;

-- A lesson's outline is public like its course; what it teaches (`content`, `video_url`) is read
-- through the API by those who take part.
grant select (
  id, module_id, title, kind, position, duration_minutes, is_published, is_required, created_at,
  updated_at, revision, removed_at
) on public.lessons to authenticated;
