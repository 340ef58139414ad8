set check_function_bodies = off;

DROP INDEX "user_achievements_by_achievement";

DROP INDEX "student_activity_of_course_newest_first";

DROP INDEX "student_activity_by_user";

DROP INDEX "private"."check_in_attempts_newest_first";

DROP INDEX "workshop_registrations_of_student_newest_first";

DROP INDEX "courses_published_newest_first";

DROP INDEX "certificates_by_course";

DROP INDEX "discussion_threads_newest_first";

DROP INDEX "discussion_threads_as_listed";

DROP INDEX "thread_message_reports_newest_first";

DROP INDEX "thread_messages_newest_first";

DROP INDEX "thread_messages_by_sender";

DROP INDEX "enrollments_of_student_newest_first";

DROP INDEX "enrollments_of_course_newest_first";

DROP INDEX "users_by_creation";

DROP INDEX "point_entries_newest_first";

DROP INDEX "conversations_of_low";

DROP INDEX "conversations_of_high";

DROP INDEX "messages_sent_newest_first";

DROP INDEX "messages_received_newest_first";

DROP INDEX "notifications_newest_first";

DROP INDEX "notifications_unread_newest_first";

DROP INDEX "payments_of_user_newest_first";

DROP INDEX "payments_of_course_newest_first";

DROP INDEX "student_presence_by_course";

DROP INDEX "student_presence_by_workshop";

DROP INDEX "lesson_completions_by_lesson";

DROP INDEX "module_completions_by_module";

DROP INDEX "quiz_attempts_by_lesson";

DROP INDEX "course_reviews_newest_first";

DROP INDEX "subscriptions_of_user_newest_first";

CREATE INDEX "user_achievements_by_achievement" ON "user_achievements" USING btree ("achievement_key","earned_at");

CREATE INDEX "student_activity_of_course_newest_first" ON "student_activity" USING btree ("course_id","created_at","id");

CREATE INDEX "student_activity_by_user" ON "student_activity" USING btree ("user_id","created_at");

CREATE INDEX "check_in_attempts_newest_first" ON "private"."check_in_attempts" USING btree ("workshop_id","user_id","attempted_at");

CREATE INDEX "workshop_registrations_of_student_newest_first" ON "workshop_registrations" USING btree ("user_id","registered_at","id");

CREATE INDEX "courses_published_newest_first" ON "courses" USING btree ("created_at","id") WHERE status = 'published';

CREATE INDEX "certificates_by_course" ON "certificates" USING btree ("course_id","issued_at");

CREATE INDEX "discussion_threads_newest_first" ON "discussion_threads" USING btree ("course_id","created_at","id");

CREATE INDEX "discussion_threads_as_listed" ON "discussion_threads" USING btree ("course_id","is_pinned","last_message_at","id");

CREATE INDEX "thread_message_reports_newest_first" ON "thread_message_reports" USING btree ("course_id","created_at","id");

CREATE INDEX "thread_messages_newest_first" ON "thread_messages" USING btree ("thread_id","created_at","id");

CREATE INDEX "thread_messages_by_sender" ON "thread_messages" USING btree ("sender_id","created_at");

CREATE INDEX "enrollments_of_student_newest_first" ON "enrollments" USING btree ("user_id","enrolled_at","id");

CREATE INDEX "enrollments_of_course_newest_first" ON "enrollments" USING btree ("course_id","enrolled_at","id");

CREATE INDEX "users_by_creation" ON "users" USING btree ("created_at","id");

CREATE INDEX "point_entries_newest_first" ON "point_entries" USING btree ("user_id","created_at","id");

CREATE INDEX "conversations_of_low" ON "conversations" USING btree ("low_id","last_message_at");

CREATE INDEX "conversations_of_high" ON "conversations" USING btree ("high_id","last_message_at");

CREATE INDEX "messages_sent_newest_first" ON "messages" USING btree ("sender_id","recipient_id","created_at","id");

CREATE INDEX "messages_received_newest_first" ON "messages" USING btree ("recipient_id","sender_id","created_at","id");

CREATE INDEX "notifications_newest_first" ON "notifications" USING btree ("user_id","created_at","id");

CREATE INDEX "notifications_unread_newest_first" ON "notifications" USING btree ("user_id","created_at","id") WHERE read_at is null;

CREATE INDEX "payments_of_user_newest_first" ON "payments" USING btree ("user_id","created_at","id");

CREATE INDEX "payments_of_course_newest_first" ON "payments" USING btree ("course_id","created_at","id");

CREATE INDEX "student_presence_by_course" ON "student_presence" USING btree ("course_id","last_seen_at") WHERE status <> 'offline';

CREATE INDEX "student_presence_by_workshop" ON "student_presence" USING btree ("workshop_id","last_seen_at") WHERE status <> 'offline';

CREATE INDEX "lesson_completions_by_lesson" ON "lesson_completions" USING btree ("lesson_id","completed_at");

CREATE INDEX "module_completions_by_module" ON "module_completions" USING btree ("module_id","completed_at");

CREATE INDEX "quiz_attempts_by_lesson" ON "quiz_attempts" USING btree ("lesson_id","submitted_at");

CREATE INDEX "course_reviews_newest_first" ON "course_reviews" USING btree ("course_id","created_at","id");

CREATE INDEX "subscriptions_of_user_newest_first" ON "subscriptions" USING btree ("user_id","started_at","id");
