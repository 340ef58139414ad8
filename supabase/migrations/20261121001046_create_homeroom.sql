set check_function_bodies = off;

CREATE SCHEMA "private";

CREATE TABLE "achievements" (
	"key" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"description" text NOT NULL,
	"icon" text DEFAULT 'award' NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"rule" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "achievements_have_a_readable_key" CHECK (key ~ '^[a-z0-9]+(_[a-z0-9]+)*$'),
	CONSTRAINT "achievements_give_no_negative_points" CHECK (points >= 0)
);

ALTER TABLE "achievements" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "user_achievements" (
	"user_id" uuid NOT NULL,
	"achievement_key" text NOT NULL,
	"earned_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_achievements_once_per_student" PRIMARY KEY("user_id","achievement_key")
);

ALTER TABLE "user_achievements" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "student_activity" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"activity_type" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "student_activity_has_a_known_type" CHECK (activity_type in ('enrolled', 'registered', 'checked_in', 'completed_lesson', 'completed_module', 'completed_course', 'reviewed', 'paid', 'asked'))
);

ALTER TABLE "student_activity" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "workshop_registrations" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"status" text DEFAULT 'registered' NOT NULL,
	"registered_at" timestamp with time zone DEFAULT now() NOT NULL,
	"checked_in_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workshop_registrations_once_per_student" UNIQUE("workshop_id","user_id"),
	CONSTRAINT "workshop_registrations_have_a_known_status" CHECK (status in ('registered', 'waitlisted', 'cancelled', 'checked_in')),
	CONSTRAINT "workshop_registrations_checked_in_have_a_moment" CHECK ((status = 'checked_in') = (checked_in_at is not null))
);

ALTER TABLE "workshop_registrations" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "workshops" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"course_id" uuid NOT NULL,
	"title" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"location" text,
	"meeting_url" text,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"capacity" integer,
	"status" text DEFAULT 'scheduled' NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workshops_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "workshops_end_after_they_start" CHECK (ends_at > starts_at),
	CONSTRAINT "workshops_have_room" CHECK (capacity > 0),
	CONSTRAINT "workshops_have_a_known_status" CHECK (status in ('scheduled', 'live', 'ended', 'cancelled'))
);

ALTER TABLE "workshops" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_instructors" (
	"course_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_instructors_once_per_course" PRIMARY KEY("course_id","user_id")
);

ALTER TABLE "course_instructors" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "courses" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"slug" text NOT NULL,
	"title" text NOT NULL,
	"summary" text DEFAULT '' NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"cover_url" text,
	"category" text DEFAULT 'general' NOT NULL,
	"level" text DEFAULT 'beginner' NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"price_cents" integer DEFAULT 0 NOT NULL,
	"currency" text DEFAULT 'EUR' NOT NULL,
	"published_at" timestamp with time zone,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "courses_have_a_slug_of_their_own" UNIQUE("slug"),
	CONSTRAINT "courses_have_a_readable_slug" CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
	CONSTRAINT "courses_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "courses_have_a_known_level" CHECK (level in ('beginner', 'intermediate', 'advanced')),
	CONSTRAINT "courses_have_a_known_status" CHECK (status in ('draft', 'published', 'archived')),
	CONSTRAINT "courses_cost_nothing_or_more" CHECK (price_cents >= 0 and currency ~ '^[A-Z]{3}$')
);

ALTER TABLE "courses" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lessons" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"module_id" uuid NOT NULL,
	"title" text NOT NULL,
	"content" text DEFAULT '' NOT NULL,
	"kind" text DEFAULT 'text' NOT NULL,
	"video_url" text,
	"position" integer NOT NULL,
	"duration_minutes" integer DEFAULT 0 NOT NULL,
	"is_published" boolean DEFAULT true NOT NULL,
	"is_required" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lessons_have_a_place_of_their_own" UNIQUE("module_id","position"),
	CONSTRAINT "lessons_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "lessons_have_a_known_kind" CHECK (kind in ('text', 'video', 'quiz')),
	CONSTRAINT "lessons_take_no_negative_time" CHECK (duration_minutes >= 0)
);

ALTER TABLE "lessons" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "modules" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"course_id" uuid NOT NULL,
	"title" text NOT NULL,
	"summary" text DEFAULT '' NOT NULL,
	"position" integer NOT NULL,
	"is_published" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "modules_have_a_place_of_their_own" UNIQUE("course_id","position"),
	CONSTRAINT "modules_have_a_title" CHECK (char_length(title) between 1 and 200)
);

ALTER TABLE "modules" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "certificates" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"serial_number" text DEFAULT 'HR-' || upper(replace(gen_random_uuid()::text, '-', '')) NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	"revocation_reason" text,
	CONSTRAINT "certificates_once_per_student" UNIQUE("user_id","course_id"),
	CONSTRAINT "certificates_have_a_serial_of_their_own" UNIQUE("serial_number"),
	CONSTRAINT "certificates_revoked_with_a_reason" CHECK ((revoked_at is null) = (revocation_reason is null))
);

ALTER TABLE "certificates" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "discussion_threads" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"course_id" uuid NOT NULL,
	"lesson_id" uuid,
	"title" text NOT NULL,
	"created_by" uuid,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_pinned" boolean DEFAULT false NOT NULL,
	"is_locked" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "discussion_threads_have_a_title" CHECK (char_length(title) between 1 and 255)
);

ALTER TABLE "discussion_threads" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_messages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"thread_id" uuid NOT NULL,
	"sender_id" uuid,
	"content" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"edited_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "thread_messages_say_something" CHECK (char_length(content) between 1 and 20000)
);

ALTER TABLE "thread_messages" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "enrollments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"progress" real DEFAULT 0 NOT NULL,
	"enrolled_at" timestamp with time zone DEFAULT now() NOT NULL,
	"completed_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "enrollments_once_per_student" UNIQUE("user_id","course_id"),
	CONSTRAINT "enrollments_have_a_known_status" CHECK (status in ('active', 'completed', 'cancelled')),
	CONSTRAINT "enrollments_progress_is_a_percentage" CHECK (progress between 0 and 100),
	CONSTRAINT "enrollments_completed_have_a_moment" CHECK (status <> 'completed' or completed_at is not null)
);

ALTER TABLE "enrollments" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"first_name" text DEFAULT '' NOT NULL,
	"last_name" text DEFAULT '' NOT NULL,
	"avatar_url" text,
	"role" text DEFAULT 'student' NOT NULL,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"last_seen_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_have_a_known_role" CHECK (role in ('student', 'instructor', 'admin')),
	CONSTRAINT "users_have_short_names" CHECK (char_length(first_name) <= 100 and char_length(last_name) <= 100),
	CONSTRAINT "users_have_a_short_avatar_url" CHECK (char_length(avatar_url) <= 2000)
);

ALTER TABLE "users" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."live_events" (
	"topic" text NOT NULL,
	"seq" bigint NOT NULL,
	"event" text NOT NULL,
	"payload" jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "live_events_one_per_number" PRIMARY KEY("topic","seq")
);

ALTER TABLE "private"."live_events" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."live_topics" (
	"topic" text PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	CONSTRAINT "live_topics_count_up" CHECK (seq >= 0)
);

ALTER TABLE "private"."live_topics" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "messages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"sender_id" uuid,
	"recipient_id" uuid,
	"content" text NOT NULL,
	"read_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "messages_say_something" CHECK (char_length(content) between 1 and 20000),
	CONSTRAINT "messages_go_to_someone_else" CHECK (sender_id <> recipient_id)
);

ALTER TABLE "messages" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."notification_failures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "private"."notification_failures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"intents" jsonb NOT NULL,
	"sql_state" text NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "private"."notification_failures" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "notification_preferences" (
	"user_id" uuid NOT NULL,
	"type" text NOT NULL,
	"enabled" boolean NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "notification_preferences_once_per_type" PRIMARY KEY("user_id","type"),
	CONSTRAINT "notification_preferences_have_a_known_type" CHECK (type in ('enrollment', 'workshop_registration', 'course_completion', 'review', 'payment', 'lesson_completion', 'certificate', 'achievement', 'subscription', 'announcement', 'message', 'mention', 'system'))
);

ALTER TABLE "notification_preferences" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "notifications" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"type" text NOT NULL,
	"level" text DEFAULT 'info' NOT NULL,
	"title" text NOT NULL,
	"message" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"course_id" uuid,
	"related_entity_type" text,
	"related_entity_id" uuid,
	"count" integer DEFAULT 1 NOT NULL,
	"dedupe_key" text,
	"read_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "notifications_have_a_known_type" CHECK (type in ('enrollment', 'workshop_registration', 'course_completion', 'review', 'payment', 'lesson_completion', 'certificate', 'achievement', 'subscription', 'announcement', 'message', 'mention', 'system')),
	CONSTRAINT "notifications_have_a_known_level" CHECK (level in ('info', 'success', 'warning', 'error')),
	CONSTRAINT "notifications_have_a_title" CHECK (char_length(title) between 1 and 255),
	CONSTRAINT "notifications_have_a_short_message" CHECK (char_length(message) <= 5000),
	CONSTRAINT "notifications_data_is_an_object" CHECK (jsonb_typeof(data) = 'object'),
	CONSTRAINT "notifications_count_up" CHECK (count >= 1)
);

ALTER TABLE "notifications" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "payments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid,
	"course_id" uuid,
	"amount_cents" integer NOT NULL,
	"currency" text DEFAULT 'EUR' NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"provider" text DEFAULT 'manual' NOT NULL,
	"provider_reference" text,
	"paid_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_once_per_provider_reference" UNIQUE("provider","provider_reference"),
	CONSTRAINT "payments_are_no_negative_amount" CHECK (amount_cents >= 0 and currency ~ '^[A-Z]{3}$'),
	CONSTRAINT "payments_have_a_known_status" CHECK (status in ('pending', 'succeeded', 'failed', 'refunded'))
);

ALTER TABLE "payments" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "student_presence" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid,
	"workshop_id" uuid,
	"status" text DEFAULT 'online' NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "student_presence_once_per_place" UNIQUE NULLS NOT DISTINCT("user_id","course_id","workshop_id"),
	CONSTRAINT "student_presence_has_a_known_status" CHECK (status in ('online', 'away', 'offline'))
);

ALTER TABLE "student_presence" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "learning_stats" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"courses_completed" integer DEFAULT 0 NOT NULL,
	"certificates_earned" integer DEFAULT 0 NOT NULL,
	"total_time_spent" integer DEFAULT 0 NOT NULL,
	"average_score" numeric(5, 2),
	"current_streak_days" integer DEFAULT 0 NOT NULL,
	"last_active_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "learning_stats_count_up" CHECK (courses_completed >= 0 and certificates_earned >= 0 and total_time_spent >= 0 and current_streak_days >= 0),
	CONSTRAINT "learning_stats_score_is_a_percentage" CHECK (average_score between 0 and 100)
);

ALTER TABLE "learning_stats" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lesson_completions" (
	"user_id" uuid NOT NULL,
	"lesson_id" uuid NOT NULL,
	"time_spent_seconds" integer DEFAULT 0 NOT NULL,
	"completed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lesson_completions_once_per_student" PRIMARY KEY("user_id","lesson_id"),
	CONSTRAINT "lesson_completions_take_no_negative_time" CHECK (time_spent_seconds >= 0)
);

ALTER TABLE "lesson_completions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "module_completions" (
	"user_id" uuid NOT NULL,
	"module_id" uuid NOT NULL,
	"completed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "module_completions_once_per_student" PRIMARY KEY("user_id","module_id")
);

ALTER TABLE "module_completions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_reviews" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"rating" smallint NOT NULL,
	"comment" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_reviews_once_per_student" UNIQUE("user_id","course_id"),
	CONSTRAINT "course_reviews_rate_from_1_to_5" CHECK (rating between 1 and 5),
	CONSTRAINT "course_reviews_have_a_short_comment" CHECK (char_length(comment) <= 5000)
);

ALTER TABLE "course_reviews" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "subscriptions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"plan" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"provider" text DEFAULT 'manual' NOT NULL,
	"provider_reference" text,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"cancelled_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscriptions_once_per_provider_reference" UNIQUE("provider","provider_reference"),
	CONSTRAINT "subscriptions_have_a_known_status" CHECK (status in ('active', 'past_due', 'cancelled', 'expired')),
	CONSTRAINT "subscriptions_end_after_they_start" CHECK (expires_at > started_at)
);

ALTER TABLE "subscriptions" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "user_achievements" ADD CONSTRAINT "user_achievements_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "user_achievements" ADD CONSTRAINT "user_achievements_achievement_key_achievements_key_fk" FOREIGN KEY ("achievement_key") REFERENCES "public"."achievements"("key") ON DELETE restrict ON UPDATE cascade;

ALTER TABLE "student_activity" ADD CONSTRAINT "student_activity_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_activity" ADD CONSTRAINT "student_activity_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_registrations" ADD CONSTRAINT "workshop_registrations_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_registrations" ADD CONSTRAINT "workshop_registrations_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_instructors" ADD CONSTRAINT "course_instructors_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_instructors" ADD CONSTRAINT "course_instructors_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "courses" ADD CONSTRAINT "courses_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_module_id_modules_id_fk" FOREIGN KEY ("module_id") REFERENCES "public"."modules"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "modules" ADD CONSTRAINT "modules_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "certificates" ADD CONSTRAINT "certificates_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "certificates" ADD CONSTRAINT "certificates_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE restrict ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_sender_id_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "users" ADD CONSTRAINT "users_id_users_id_fk" FOREIGN KEY ("id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "messages" ADD CONSTRAINT "messages_sender_id_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "messages" ADD CONSTRAINT "messages_recipient_id_users_id_fk" FOREIGN KEY ("recipient_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "payments" ADD CONSTRAINT "payments_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "payments" ADD CONSTRAINT "payments_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "learning_stats" ADD CONSTRAINT "learning_stats_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_completions" ADD CONSTRAINT "lesson_completions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_completions" ADD CONSTRAINT "lesson_completions_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "module_completions" ADD CONSTRAINT "module_completions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "module_completions" ADD CONSTRAINT "module_completions_module_id_modules_id_fk" FOREIGN KEY ("module_id") REFERENCES "public"."modules"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "user_achievements_by_achievement" ON "user_achievements" USING btree ("achievement_key","earned_at" DESC NULLS LAST);

CREATE INDEX "student_activity_of_course_newest_first" ON "student_activity" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "student_activity_by_user" ON "student_activity" USING btree ("user_id","created_at" DESC NULLS LAST);

CREATE INDEX "workshop_registrations_in_order" ON "workshop_registrations" USING btree ("workshop_id","registered_at","id");

CREATE INDEX "workshop_registrations_of_student_newest_first" ON "workshop_registrations" USING btree ("user_id","registered_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "workshops_by_start" ON "workshops" USING btree ("course_id","starts_at","id");

CREATE INDEX "course_instructors_by_user" ON "course_instructors" USING btree ("user_id","course_id");

CREATE INDEX "courses_published_newest_first" ON "courses" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE status = 'published';

CREATE INDEX "certificates_by_course" ON "certificates" USING btree ("course_id","issued_at" DESC NULLS LAST);

CREATE INDEX "discussion_threads_newest_first" ON "discussion_threads" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "thread_messages_newest_first" ON "thread_messages" USING btree ("thread_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "enrollments_of_student_newest_first" ON "enrollments" USING btree ("user_id","enrolled_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "enrollments_of_course_newest_first" ON "enrollments" USING btree ("course_id","enrolled_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "users_by_email" ON "users" USING btree ("email");

CREATE INDEX "users_by_creation" ON "users" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "live_events_by_age" ON "private"."live_events" USING brin ("created_at");

CREATE INDEX "messages_sent_newest_first" ON "messages" USING btree ("sender_id","recipient_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "messages_received_newest_first" ON "messages" USING btree ("recipient_id","sender_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "messages_unread" ON "messages" USING btree ("recipient_id","sender_id") WHERE read_at is null;

CREATE INDEX "notification_failures_by_age" ON "private"."notification_failures" USING btree ("created_at");

CREATE UNIQUE INDEX "notifications_once_per_dedupe_key" ON "notifications" USING btree ("user_id","dedupe_key") WHERE dedupe_key is not null;

CREATE INDEX "notifications_newest_first" ON "notifications" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "notifications_unread_newest_first" ON "notifications" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE read_at is null;

CREATE INDEX "notifications_by_expiry" ON "notifications" USING btree ("expires_at") WHERE expires_at is not null;

CREATE INDEX "notifications_by_age" ON "notifications" USING btree ("created_at");

CREATE INDEX "notifications_by_course" ON "notifications" USING btree ("course_id");

CREATE INDEX "payments_of_user_newest_first" ON "payments" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "payments_of_course_newest_first" ON "payments" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "student_presence_by_course" ON "student_presence" USING btree ("course_id","last_seen_at" DESC NULLS LAST) WHERE status <> 'offline';

CREATE INDEX "student_presence_by_workshop" ON "student_presence" USING btree ("workshop_id","last_seen_at" DESC NULLS LAST) WHERE status <> 'offline';

CREATE INDEX "student_presence_by_last_seen" ON "student_presence" USING btree ("last_seen_at") WHERE status <> 'offline';

CREATE INDEX "lesson_completions_by_lesson" ON "lesson_completions" USING btree ("lesson_id","completed_at" DESC NULLS LAST);

CREATE INDEX "module_completions_by_module" ON "module_completions" USING btree ("module_id","completed_at" DESC NULLS LAST);

CREATE INDEX "course_reviews_newest_first" ON "course_reviews" USING btree ("course_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "subscriptions_of_user_newest_first" ON "subscriptions" USING btree ("user_id","started_at" DESC NULLS LAST,"id" DESC NULLS LAST);

CREATE INDEX "subscriptions_by_expiry" ON "subscriptions" USING btree ("expires_at") WHERE status = 'active';

-- >>> access/access.sql
-- Supabase grants everything on every new table and function of `public` to its API roles.
-- Here each table's own file grants what is needed, and nothing is granted by default.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public grant select, insert, update, delete on tables to service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated;
alter default privileges in schema public revoke execute on functions from anon, authenticated;
alter default privileges revoke execute on functions from public;

revoke all on all tables in schema public from anon, authenticated;
revoke all on all sequences in schema public from anon, authenticated;

grant usage on schema private to authenticated, service_role;

-- Whether the caller is an administrator. For policies: evaluated once per statement.
create or replace function private.is_admin() returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.users
    where id = (select auth.uid()) and role = 'admin' and is_active
  );
$$;

-- The courses whose staff the caller belongs to: those they teach; all, for an administrator.
create or replace function private.taught_course_ids() returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select course_id from public.course_instructors where user_id = (select auth.uid())
  union
  select id from public.courses where (select private.is_admin());
$$;

-- The courses in which the caller takes part, as student or as staff.
create or replace function private.joined_course_ids() returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select course_id from public.enrollments
  where user_id = (select auth.uid()) and status <> 'cancelled'
  union
  select private.taught_course_ids();
$$;

-- Whether someone belongs to the staff of a course. For topics, where the user is an argument.
create or replace function private.is_course_staff(course uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.course_instructors where course_id = course and user_id = person
  ) or exists (
    select 1 from public.users where id = person and role = 'admin' and is_active
  );
$$;

-- Whether someone takes part in a course, as student or as staff.
create or replace function private.is_course_member(course uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select 1 from public.enrollments
    where course_id = course and user_id = person and status <> 'cancelled'
  ) or private.is_course_staff(course, person);
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.is_admin() to authenticated;
grant execute on function private.taught_course_ids() to authenticated;
grant execute on function private.joined_course_ids() to authenticated;

-- Every change moves `updated_at`; nobody sets it.
create or replace function private.touch_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end;
$$;

do $$
declare
  target text;
begin
  for target in
    select table_name from information_schema.columns
    where table_schema = 'public' and column_name = 'updated_at'
  loop
    execute format(
      'create or replace trigger touch_updated_at before update on public.%I
       for each row execute function private.touch_updated_at()',
      target
    );
  end loop;
end;
$$;

-- The server's own role does what services do, under no policy, without emptying or altering.
revoke all on all tables in schema public from service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
-- <<< access/access.sql

-- >>> access/publication.sql
-- The tables that the guides name for Realtime's `postgres_changes`. Each is under row level
-- security, so a subscriber gets the rows that it may read.
do $$
declare
  wanted text;
begin
  foreach wanted in array array[
    'notifications', 'enrollments', 'workshop_registrations', 'student_activity',
    'course_reviews', 'student_presence', 'payments', 'lesson_completions', 'messages',
    'discussion_threads', 'thread_messages'
  ] loop
    if not exists (
      select 1 from pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = wanted
    ) then
      execute format('alter publication supabase_realtime add table public.%I', wanted);
    end if;
  end loop;
end;
$$;
-- <<< access/publication.sql

-- >>> access/reading.sql
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
  public.workshops,
  public.workshop_registrations,
  public.student_presence,
  public.student_activity,
  public.course_reviews,
  public.payments,
  public.subscriptions
to authenticated;

-- A lesson's outline is public like its course; what it teaches (`content`, `video_url`) is read
-- through the API by those who take part.
grant select (
  id, module_id, title, kind, position, duration_minutes, is_published, is_required, created_at,
  updated_at
) on public.lessons to authenticated;
-- <<< access/reading.sql

-- >>> activity/activity.sql
-- What a student did goes to the staff of the course, at once.
create or replace function private.tell_student_activity() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'course:' || inserted.course_id || ':staff',
        'event', 'activity.created',
        'payload', jsonb_build_object(
          'activity', jsonb_build_object(
            'id', inserted.id,
            'type', inserted.activity_type,
            'userId', inserted.user_id,
            'studentName', private.display_name(users.first_name, users.last_name),
            'createdAt', private.iso_time(inserted.created_at),
            'data', inserted.data
          )
        )
      )::text,
      ',' order by inserted.created_at, inserted.id
    )
    from inserted
    join public.users on users.id = inserted.user_id
  ));
  return null;
end;
$$;

create or replace trigger tell_student_activity
after insert on public.student_activity
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_student_activity();

-- Writes what students did into the feeds of the courses, and notifies every instructor of each.
-- The four arrays hold one happening per place; `sentence` has two places: the student's name and
-- the course's title.
create or replace function private.tell_instructors(
  kind text,
  activity text,
  title text,
  sentence text,
  entity_type text,
  students uuid[],
  course_ids uuid[],
  entities uuid[],
  details jsonb[]
)
returns void
language plpgsql
as $$
declare
  intents text[] := '{}';
  student_name text;
  course_title text;
  message text;
  detail jsonb;
  instructor uuid;
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, course_id, activity, happening.detail
  from unnest(students, course_ids, details) as happening (student, course_id, detail);

  -- A loop of lookups by key: for the one happening of an everyday transaction, starting a join of
  -- five would cost more than all of them.
  for happening in 1 .. cardinality(students) loop
    select private.display_name(first_name, last_name) into student_name
    from public.users where id = students[happening];
    select courses.title into course_title
    from public.courses where id = course_ids[happening];
    message := format(sentence, student_name, course_title);
    detail := details[happening] || jsonb_build_object(
      'course_id', course_ids[happening],
      'course_title', course_title,
      'student_id', students[happening],
      'student_name', student_name
    );
    for instructor in
      select user_id from public.course_instructors
      where course_id = course_ids[happening] and user_id <> students[happening]
    loop
      intents := intents || jsonb_build_object(
        'user_id', instructor,
        'type', kind,
        'title', title,
        'message', message,
        'course_id', course_ids[happening],
        'related_entity_type', entity_type,
        'related_entity_id', entities[happening],
        'data', detail
      )::text;
    end loop;
  end loop;
  perform private.queue_live('homeroom.notifications', nullif(array_to_string(intents, ','), ''));
end;
$$;
-- <<< activity/activity.sql

-- >>> attendance/triggers.sql
-- A registration for a workshop, whether it got a place or waits for one.
create or replace function private.after_workshop_registration() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(inserted.user_id),
    array_agg(workshops.course_id),
    array_agg(workshops.id),
    array_agg(jsonb_build_object(
      'workshop_id', workshops.id, 'workshop_title', workshops.title, 'status', inserted.status
    ))
  into students, courses, entities, details
  from inserted
  join public.workshops on workshops.id = inserted.workshop_id
  where inserted.status <> 'cancelled';
  if students is not null then
    perform private.tell_instructors(
      'workshop_registration', 'registered', 'New Workshop Registration',
      '%s registered for a workshop of "%s"', 'workshop', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_registration
after insert on public.workshop_registrations
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_registration();
-- <<< attendance/triggers.sql

-- >>> enrollment/grants.sql
-- Who and in what; status, progress and moments are the server's.
grant insert (user_id, course_id) on public.enrollments to authenticated;
-- <<< enrollment/grants.sql

-- >>> enrollment/triggers.sql
-- A new enrollment: its course's feed and instructors hear of it, and so do the student's other
-- tabs and devices.
create or replace function private.after_enrollment() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select array_agg(user_id), array_agg(course_id), array_agg(id), array_agg('{}'::jsonb)
  into students, courses, entities, details
  from inserted
  where status <> 'cancelled';
  if students is null then
    return null;
  end if;
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || inserted.user_id,
        'event', 'enrollment.created',
        'payload', jsonb_build_object(
          'courseId', inserted.course_id,
          'courseTitle', courses.title,
          'enrolledAt', private.iso_time(inserted.enrolled_at)
        )
      )::text,
      ','
    )
    from inserted
    join public.courses on courses.id = inserted.course_id
    where inserted.status <> 'cancelled'
  ));
  perform private.tell_instructors(
    'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
    students, courses, entities, details
  );
  return null;
end;
$$;

create or replace trigger after_enrollment
after insert on public.enrollments
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment();

-- A course finished: told once, when `status` becomes `completed`.
create or replace function private.after_course_completion() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(after.user_id), array_agg(after.course_id), array_agg(after.id),
    array_agg('{}'::jsonb)
  into students, courses, entities, details
  from before
  join after using (id)
  where after.status = 'completed' and before.status <> 'completed';
  if students is not null then
    perform private.tell_instructors(
      'course_completion', 'completed_course', 'Course Completed', '%s completed "%s"',
      'enrollment', students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_course_completion
after update on public.enrollments
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_course_completion();
-- <<< enrollment/triggers.sql

-- >>> identity/users.sql
-- Follows `auth.users`: a sign-up gives a student, whatever the client sent; a changed address is
-- changed here too. Names come from the sign-up's metadata, cut to size.
create or replace function private.follow_auth_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  given jsonb := coalesce(new.raw_user_meta_data, '{}');
begin
  insert into public.users (id, email, first_name, last_name, avatar_url)
  values (
    new.id,
    coalesce(new.email, ''),
    left(trim(coalesce(given ->> 'first_name', given ->> 'name', '')), 100),
    left(trim(coalesce(given ->> 'last_name', '')), 100),
    left(substring(given ->> 'avatar_url' from '^https://.*$'), 2000)
  )
  on conflict (id) do update set email = excluded.email;
  return null;
end;
$$;
revoke execute on function private.follow_auth_user() from public;

create or replace trigger follow_auth_user
after insert or update of email on auth.users
for each row execute function private.follow_auth_user();

-- A zone that Postgres knows: times are shown and digests sent by it.
create or replace function private.check_time_zone() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform now() at time zone new.time_zone;
  return new;
exception when invalid_parameter_value then
  raise exception 'There is no time zone "%"', new.time_zone
    using errcode = '22023', hint = 'Use a name such as Europe/Vienna.';
end;
$$;
revoke execute on function private.check_time_zone() from public;

create or replace trigger check_time_zone
before insert or update of time_zone on public.users
for each row execute function private.check_time_zone();

-- The profile is the user's; role, address and state are not.
grant update (first_name, last_name, avatar_url, time_zone) on public.users to authenticated;

-- What people may see of each other: name, picture and role of themselves, of everybody in a
-- course with them, and of those who teach a published course. Never the address. Runs as its
-- owner, so the conditions here are the whole guard.
create or replace view public.profiles with (security_barrier = true) as
select users.id, users.first_name, users.last_name, users.avatar_url, users.role
from public.users
where users.id = (select auth.uid())
  or (select private.is_admin())
  or exists (
    select 1
    from public.course_instructors
    join public.courses on courses.id = course_instructors.course_id
    where course_instructors.user_id = users.id
      and (courses.status = 'published' or courses.id in (select private.joined_course_ids()))
  )
  or exists (
    select 1
    from public.enrollments
    where enrollments.user_id = users.id
      and enrollments.status <> 'cancelled'
      and enrollments.course_id in (select private.joined_course_ids())
  );
revoke all on public.profiles from anon, authenticated, service_role;
grant select on public.profiles to authenticated, service_role;

-- As others see a person's name; "Someone" until there is one.
create or replace function private.display_name(first_name text, last_name text) returns text
language sql immutable
as $$
  select coalesce(nullif(trim(first_name || ' ' || last_name), ''), 'Someone');
$$;
revoke execute on function private.display_name(text, text) from public;
grant execute on function private.display_name(text, text) to authenticated;
-- <<< identity/users.sql

-- >>> jobs.sql
-- The list of jobs.ts for pg_cron, where it is installed; a job of the same name is replaced.
-- Elsewhere the stack runs them.
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('cleanup-notifications', '0 2 * * *', 'select public.cleanup_old_notifications()');
    perform cron.schedule('expire-notifications', '* * * * *', 'select private.expire_notifications()');
    perform cron.schedule('end-ghost-presence', '* * * * *', 'select private.end_ghost_presence()');
    perform cron.schedule('remove-old-live-events', '17 * * * *', 'select private.remove_old_live_events()');
    perform cron.schedule('disarm-live-flushes', '* * * * *', 'delete from private.live_flushes');
  end if;
end;
$$;
-- <<< jobs.sql

-- >>> live/publish.sql
-- How an event gets its number. During the transaction, what is to be told is queued in two
-- transaction-local settings (a savepoint rolled back takes its part of them away, an aborted
-- transaction all, and nothing is written for it). The first thing queued arms one deferred
-- trigger. At commit it locks the heads of all topics concerned, in the order of their names, with
-- one statement, and numbers under those locks: so numbers have no holes and no repeats, the order
-- of numbers is the order of commits, and two transactions can't wait for each other in a circle.

-- The functions at the door (triggers, what others may call) set `search_path`, and have plans made
-- once rather than for each call; those behind them run under what the door has set, since setting
-- it anew costs more than what some of them do.

-- Arms the flush: one row per transaction, removed by a job.
create unlogged table if not exists private.live_flushes (armed_at timestamptz not null default now());
alter table private.live_flushes enable row level security;

-- Queues comma-separated JSON objects, and arms the flush.
create or replace function private.queue_live(queue text, items text) returns void
language plpgsql
as $$
declare
  queued text := current_setting(queue, true);
  -- Assigned rather than performed: an expression costs a tenth of a statement.
  setting text;
begin
  if items is null then
    return;
  end if;
  setting := set_config(queue, case when queued <> '' then queued || ',' || items else items end, true);
  if current_setting('homeroom.flush', true) is distinct from 'armed' then
    setting := set_config('homeroom.flush', 'armed', true);
    insert into private.live_flushes default values;
  end if;
end;
$$;

-- Tells an event on a topic, if and when this transaction commits. `payload` is what readers get
-- as `data`. For triggers and functions of the database, and for services.
create or replace function private.publish(topic text, event text, payload jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if topic is null or event is null or payload is null then
    raise exception 'An event needs a topic, a name and a payload' using errcode = '22004';
  end if;
  perform private.queue_live(
    'homeroom.events',
    jsonb_build_object('topic', topic, 'event', event, 'payload', payload)::text
  );
end;
$$;
grant execute on function private.publish(text, text, jsonb) to service_role;
grant usage on schema private to service_role;

-- Numbers events, keeps them, and hands them to Realtime. `heads` holds the number of each topic
-- before them; the caller has the topics locked. The insert is what `realtime.send` does, for all
-- events in one statement; the caller catches what fails.
create or replace function private.store_events(events jsonb, heads jsonb, send boolean) returns void
language plpgsql
as $$
declare
  moment timestamptz := clock_timestamp();
  at numeric := private.epoch_ms(moment);
begin
  with numbered as materialized (
    select
      gen_random_uuid() as id,
      item.value ->> 'topic' as topic,
      item.value ->> 'event' as event,
      item.value -> 'payload' as payload,
      (heads ->> (item.value ->> 'topic'))::bigint
        + row_number() over (partition by item.value ->> 'topic' order by item.position) as seq
    from jsonb_array_elements(events) with ordinality as item (value, position)
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    topic,
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', at, 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(events jsonb, intents jsonb, heads jsonb)
returns jsonb
language plpgsql set search_path = ''
as $$
declare
  intent jsonb;
  told jsonb := events;
begin
  for intent in select value from jsonb_array_elements(intents) loop
    begin
      told := told || private.write_notifications(jsonb_build_array(intent));
    exception when others then
      insert into private.notification_failures (intents, sql_state, reason)
      values (jsonb_build_array(intent), sqlstate, sqlerrm);
    end;
  end loop;
  begin
    perform private.store_events(told, heads, true);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, heads, false);
  end;
  return told;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`.
create or replace function private.flush_live() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  events jsonb := '[' || coalesce(current_setting('homeroom.events', true), '') || ']';
  intents jsonb := '[' || coalesce(current_setting('homeroom.notifications', true), '') || ']';
  expected integer := jsonb_array_length(events) + jsonb_array_length(intents);
  heads jsonb;
  told jsonb;
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.flush', '', true);
  if expected = 0 then
    return null;
  end if;

  -- Locks all heads in one order, and takes as many numbers as can be needed.
  with wanted as (
    select topic, count(*) as numbers
    from (
      select value ->> 'topic' as topic from jsonb_array_elements(events)
      union all
      select 'user:' || (value ->> 'user_id') from jsonb_array_elements(intents)
    ) as told
    group by topic
  ), taken as (
    insert into private.live_topics as head (topic, seq)
    select topic, numbers from wanted order by topic collate "C"
    on conflict (topic) do update set seq = head.seq + excluded.seq
    returning topic, seq
  )
  select jsonb_object_agg(topic, taken.seq - wanted.numbers)
  into heads
  from taken
  join wanted using (topic);

  begin
    told := events || private.write_notifications(intents);
    perform private.store_events(told, heads, true);
  exception when others then
    told := private.store_what_can_be(events, intents, heads);
  end;

  -- Numbers that were not needed after all (merged, refused or failed notifications) go back,
  -- still under the locks.
  if jsonb_array_length(told) < expected then
    update private.live_topics as head
    set seq = before.value::bigint + (
      select count(*) from jsonb_array_elements(told) as event
      where event.value ->> 'topic' = before.key
    )
    from jsonb_each_text(heads) as before
    where head.topic = before.key;
  end if;
  return null;
end;
$$;

drop trigger if exists flush_live on private.live_flushes;
create constraint trigger flush_live
after insert on private.live_flushes
deferrable initially deferred
for each row execute function private.flush_live();

-- What is older than the seven days for which a client can catch up goes. Gives the number of events.
create or replace function private.remove_old_live_events() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from private.live_events where created_at < now() - interval '7 days';
  get diagnostics removed = row_count;
  delete from private.notification_failures where created_at < now() - interval '90 days';
  return removed;
end;
$$;
-- <<< live/publish.sql

-- >>> live/time.sql
-- A moment as the API and the events write it: UTC, to the microsecond.
create or replace function private.iso_time(moment timestamptz) returns text
language sql stable
as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
$$;
grant execute on function private.iso_time(timestamptz) to authenticated, service_role;

-- A moment in milliseconds since 1970, with the microseconds behind the point.
create or replace function private.epoch_ms(moment timestamptz) returns numeric
language sql stable
as $$
  select trim_scale(extract(epoch from moment) * 1000);
$$;
-- <<< live/time.sql

-- >>> live/topics.sql
-- Who may read a topic (and be present on it). Used by the policies on `realtime.messages` at
-- join, by the policy on `live_topics`, and by `live_since`. A few lookups by primary key.
create or replace function private.can_read_topic(topic text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  -- kind, subject, 'staff' if it is the staff's; `:live` has the readers of its parent.
  parts text[] := regexp_match(
    topic,
    '^(user|course|thread|workshop|leaderboard):([A-Za-z0-9_-]{1,64})(?::(staff))?(?::live)?$'
  );
  for_staff boolean := parts[3] is not null;
  subject uuid;
begin
  if parts is null or person is null then
    return false;
  end if;
  if parts[2] !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return parts[1] = 'leaderboard' and parts[2] in ('global', 'week') and not for_staff;
  end if;
  subject := parts[2]::uuid;
  case parts[1]
    when 'user' then
      return subject = person and not for_staff;
    when 'course' then
      if for_staff then
        return private.is_course_staff(subject, person);
      end if;
      return private.is_course_member(subject, person);
    when 'leaderboard' then
      return not for_staff and private.is_course_member(subject, person);
    when 'thread' then
      return not for_staff and exists (
        select 1 from public.discussion_threads
        where id = subject and private.is_course_member(course_id, person)
      );
    when 'workshop' then
      return exists (
        select 1 from public.workshops
        where id = subject and private.is_course_staff(course_id, person)
      ) or (not for_staff and exists (
        select 1 from public.workshop_registrations
        where workshop_id = subject and user_id = person and status <> 'cancelled'
      ));
  end case;
end;
$$;
grant execute on function private.can_read_topic(text, uuid) to authenticated;

-- Who may broadcast and track: readers, and only on `…:live`. On a data topic only the database
-- speaks.
create or replace function private.can_send_on_topic(topic text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select topic like '%:live' and private.can_read_topic(topic, person);
$$;
grant execute on function private.can_send_on_topic(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to authenticated
using (
  extension in ('broadcast', 'presence')
  and private.can_read_topic((select realtime.topic()), (select auth.uid()))
);

drop policy if exists "readers of a topic speak beside it, never on it" on realtime.messages;
create policy "readers of a topic speak beside it, never on it" on realtime.messages
for insert to authenticated
with check (
  extension in ('broadcast', 'presence')
  and private.can_send_on_topic((select realtime.topic()), (select auth.uid()))
);

grant select on private.live_topics to authenticated, service_role;

-- Heads are updated at every event: room on their page keeps that off the index.
alter table private.live_topics set (fillfactor = 50);

-- The number of a topic's newest event; 0 when there is none, or none for the caller. To be read
-- in one snapshot with the data: in one statement, or in a `repeatable read` transaction.
create or replace function private.live_cursor(topic text) returns bigint
language sql stable
as $$
  select coalesce((select seq from private.live_topics where live_topics.topic = live_cursor.topic), 0);
$$;
grant execute on function private.live_cursor(text) to authenticated, service_role;

-- Whether the session belongs to a service or an operator rather than to a user.
create or replace function private.is_service() returns boolean
language sql stable set search_path = ''
as $$
  select coalesce(nullif(current_setting('role', true), 'none'), session_user)
    in ('postgres', 'service_role', 'supabase_admin');
$$;

-- The events of a topic after a number, oldest first, at most 500: `{ status: 'events', events,
-- head }`. `{ status: 'too-old', head }` when some of them are beyond retention, or when the
-- number is none of ours: then only a new snapshot helps. Callable by whoever may read the topic.
create or replace function public.live_since(topic text, after bigint, max integer default 500)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  head bigint;
  events jsonb;
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  select heads.seq into head from private.live_topics as heads where heads.topic = live_since.topic;
  head := coalesce(head, 0);
  if after = head then
    return jsonb_build_object('status', 'events', 'events', '[]'::jsonb, 'head', head);
  end if;
  select jsonb_agg(
    jsonb_build_object('seq', seq, 'event', event, 'at', private.epoch_ms(created_at), 'data', payload)
    order by seq
  )
  into events
  from (
    select * from private.live_events as stored
    where stored.topic = live_since.topic and stored.seq > live_since.after
    order by stored.seq
    limit least(greatest(live_since.max, 1), 500)
  ) as page;
  if events is null or (events -> 0 ->> 'seq')::bigint is distinct from after + 1 then
    return jsonb_build_object('status', 'too-old', 'head', head);
  end if;
  return jsonb_build_object('status', 'events', 'events', events, 'head', head);
end;
$$;
grant execute on function public.live_since(text, bigint, integer) to authenticated, service_role;
-- <<< live/topics.sql

-- >>> notifications/changes.sql
-- Whoever changes notifications, by the API, by REST or by hand: each change is told on the
-- owner's topic, with how it moves the unread count. What the functions of this package write,
-- they tell themselves (`homeroom.telling`); history that is imported is not told
-- (`homeroom.quiet`).
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
          'unreadDelta', (inserted.read_at is null)::integer
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
          'unreadDelta', (after.read_at is null)::integer - (before.read_at is null)::integer
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
          'unreadDelta', -(removed.read_at is null)::integer
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
grant insert (user_id, type, enabled), update (enabled), delete
on public.notification_preferences to authenticated;
grant select on public.notification_preferences to authenticated;
-- <<< notifications/changes.sql

-- >>> notifications/functions.sql
-- Locks the head of a user's topic until the transaction ends: who holds it is the only one to
-- write the user's notifications. A transaction that goes on to publish elsewhere after this no
-- longer locks in the order of names, so a deadlock becomes possible (Postgres ends it by failing
-- one): call what uses this in a transaction of its own.
create or replace function private.lock_user_topic(person uuid) returns void
language sql set search_path = ''
as $$
  insert into private.live_topics as head (topic, seq)
  values ('user:' || person, 0)
  on conflict (topic) do update set seq = head.seq;
$$;

-- Tells a user something, and gives the notification's id: the earlier one's where this repeats
-- it, null where the user doesn't want the type. For services and operators; the course, if any,
-- is `data.course_id`. Locks the user's topic. Inside a transaction of the database's own, use
-- `private.notify`.
create or replace function public.create_notification(
  user_id uuid,
  type text,
  title text,
  message text,
  data jsonb default '{}',
  level text default 'info',
  related_entity_type text default null,
  related_entity_id uuid default null,
  expires_at timestamptz default null,
  dedupe_key text default null
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  course_id uuid := (
    select courses.id from public.courses where courses.id::text = data ->> 'course_id'
  );
  events jsonb;
begin
  if not exists (select 1 from public.users where users.id = create_notification.user_id) then
    raise exception 'There is no user %', user_id using errcode = '23503';
  end if;
  perform private.lock_user_topic(user_id);
  events := private.write_notifications(jsonb_build_array(jsonb_build_object(
    'user_id', user_id,
    'type', type,
    'level', level,
    'title', title,
    'message', message,
    'data', data,
    'course_id', course_id,
    'related_entity_type', related_entity_type,
    'related_entity_id', related_entity_id,
    'expires_at', expires_at,
    'dedupe_key', dedupe_key
  )));
  if events = '[]' then
    return (
      select notifications.id from public.notifications
      where notifications.user_id = create_notification.user_id
        and notifications.dedupe_key = create_notification.dedupe_key
    );
  end if;
  perform private.publish(
    events -> 0 ->> 'topic', events -> 0 ->> 'event', events -> 0 -> 'payload'
  );
  return (events -> 0 -> 'payload' -> 'notification' ->> 'id')::uuid;
end;
$$;
grant execute on function public.create_notification(
  uuid, text, text, text, jsonb, text, text, uuid, timestamptz, text
) to service_role;

-- Marks everything of the caller as read that is not newer than what they have seen, and tells it
-- in one event. Gives the number of notifications that became read. Locks the caller's topic. It
-- waits for no row, since who holds one may be waiting for the topic: a row that someone else is
-- changing at this moment stays as it is, and is told once more after the event that covers it.
create or replace function public.mark_notifications_read(
  through_created_at timestamptz,
  through_id uuid
)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reader uuid := auth.uid();
  moment timestamptz;
  marked integer;
begin
  if reader is null then
    raise exception 'SIGN_IN_REQUIRED' using errcode = '42501';
  end if;
  perform private.lock_user_topic(reader);
  moment := clock_timestamp();
  perform set_config('homeroom.telling', 'by hand', true);
  update public.notifications
  set read_at = moment
  where id in (
    select id from public.notifications
    where user_id = reader
      and read_at is null
      and (created_at, id) <= (through_created_at, through_id)
    for no key update skip locked
  );
  get diagnostics marked = row_count;
  perform set_config('homeroom.telling', '', true);
  if marked > 0 then
    perform private.publish(
      'user:' || reader,
      'notifications.read',
      jsonb_build_object(
        'through', jsonb_build_object(
          'createdAt', private.iso_time(through_created_at), 'id', through_id
        ),
        'readAt', private.iso_time(moment),
        'unreadDelta', -marked
      )
    );
    perform private.publish(
      'user:' || reader,
      'notification.updated',
      jsonb_build_object(
        'notification', private.notification_json(passed_over), 'unreadDelta', 0
      )
    )
    from public.notifications as passed_over
    where user_id = reader
      and read_at is null
      and (created_at, id) <= (through_created_at, through_id);
  end if;
  return marked;
end;
$$;
grant execute on function public.mark_notifications_read(timestamptz, uuid) to authenticated;

-- Removes what has expired; its owners are told. Run each minute.
create or replace function private.expire_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from public.notifications
  where id in (
    select id from public.notifications
    where expires_at <= now()
    order by expires_at
    limit 10000
    for update skip locked
  );
  get diagnostics removed = row_count;
  return removed;
end;
$$;

-- Removes what was read and is older than 30 days, what is older than 90 days, and what has
-- expired; gives the number removed. Run daily. For services and operators only.
create or replace function public.cleanup_old_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from public.notifications
  where id in (
    select id from public.notifications
    where (created_at < now() - interval '30 days' and read_at is not null)
      or created_at < now() - interval '90 days'
      or expires_at <= now()
    for update skip locked
  );
  get diagnostics removed = row_count;
  return removed;
end;
$$;
grant execute on function public.cleanup_old_notifications() to service_role;
-- <<< notifications/functions.sql

-- >>> notifications/write.sql
-- A notification as the API and the events show it.
create or replace function private.notification_json(notification public.notifications)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', notification.id,
    'type', notification.type,
    'level', notification.level,
    'title', notification.title,
    'message', notification.message,
    'data', notification.data,
    'courseId', notification.course_id,
    'relatedEntityType', notification.related_entity_type,
    'relatedEntityId', notification.related_entity_id,
    'count', notification.count,
    'readAt', private.iso_time(notification.read_at),
    'createdAt', private.iso_time(notification.created_at),
    'expiresAt', private.iso_time(notification.expires_at)
  );
$$;
grant execute on function private.notification_json(public.notifications)
to authenticated, service_role;

-- The types whose repeats are merged. Each text of the others says something of its own.
create or replace function private.is_merged(type text) returns boolean
language sql immutable
as $$
  select type in ('enrollment', 'workshop_registration', 'course_completion', 'review', 'payment');
$$;

-- What a merged notification says.
create or replace function private.merged_title(type text) returns text
language sql immutable
as $$
  select case type
    when 'enrollment' then 'New students enrolled'
    when 'workshop_registration' then 'New workshop registrations'
    when 'course_completion' then 'Course completions'
    when 'review' then 'New reviews'
    when 'payment' then 'Payments received'
  end;
$$;
create or replace function private.merged_message(type text, count integer, course_title text)
returns text
language plpgsql immutable
as $$
begin
  return format(
    case type
      when 'enrollment' then '%s students enrolled in "%s"'
      when 'workshop_registration' then '%s students registered for workshops of "%s"'
      when 'course_completion' then '%s students completed "%s"'
      when 'review' then '%s students reviewed "%s"'
      when 'payment' then '%s payments received for "%s"'
    end,
    count,
    course_title
  );
end;
$$;

-- Queues notifications, to be written when this transaction commits. Each intent is an object with
-- the columns of `notifications`: user_id, type, title, message and what else is known. One that
-- can't be written is recorded in `notification_failures`, and never stops the transaction.
create or replace function private.notify(intents jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.queue_live(
    'homeroom.notifications',
    (select string_agg(value::text, ',' order by position)
     from jsonb_array_elements(intents) with ordinality as intent (value, position))
  );
end;
$$;

-- Intents that belong together (same recipient, mergeable type and course) become one, the newest
-- of them, whose `count` says how many they are.
create or replace function private.group_intents(intents jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  with intent as (
    select
      value,
      position,
      case
        when private.is_merged(value ->> 'type')
          and value ->> 'course_id' is not null
          and value ->> 'dedupe_key' is null
        then concat_ws(' ', value ->> 'user_id', value ->> 'type', value ->> 'course_id')
        else position::text
      end as belongs_to
    from jsonb_array_elements(intents) with ordinality as item (value, position)
  ), newest as (
    select distinct on (belongs_to)
      value || jsonb_build_object('count', count(*) over (partition by belongs_to)) as value,
      position
    from intent
    order by belongs_to, position desc
  )
  select jsonb_agg(value order by position) from newest;
$$;

-- Writes notifications and gives their events. The caller has the recipients' topics locked, so
-- nobody else merges at the same time. What a recipient doesn't want is left out, what has a known
-- dedupe key too. A repeat within a minute for the same recipient, type and course goes into the
-- unread one that is there. It waits for no row: one that is being changed by someone else is left
-- alone, and a new one is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql
as $$
declare
  moment timestamptz := clock_timestamp();
  events jsonb := '[]';
  intent jsonb;
  wanted public.notifications;
  written jsonb;
  earlier_id uuid;
  earlier_count integer;
  course_title text;
  setting text;
begin
  if intents = '[]' then
    return events;
  end if;
  setting := set_config('homeroom.telling', 'by hand', true);
  if jsonb_array_length(intents) > 1 then
    intents := private.group_intents(intents);
  end if;
  for at in 0 .. jsonb_array_length(intents) - 1 loop
    wanted := jsonb_populate_record(null::public.notifications, intents -> at);
    wanted.count := coalesce(wanted.count, 1);
    earlier_id := null;
    if exists (
      select 1 from public.notification_preferences
      where user_id = wanted.user_id and type = wanted.type and not enabled
    ) then
      continue;
    end if;

    if private.is_merged(wanted.type) and wanted.course_id is not null and wanted.dedupe_key is null
    then
      select id, count into earlier_id, earlier_count
      from public.notifications
      where user_id = wanted.user_id
        and read_at is null
        and created_at > moment - interval '1 minute'
        and type = wanted.type
        and course_id = wanted.course_id
      order by created_at desc, id desc
      limit 1
      for no key update skip locked;
      if earlier_id is not null then
        wanted.count := earlier_count + wanted.count;
      end if;
      if wanted.count > 1 then
        course_title := wanted.data ->> 'course_title';
        if course_title is null then
          select title into course_title from public.courses where id = wanted.course_id;
        end if;
        wanted.title := private.merged_title(wanted.type);
        wanted.message := private.merged_message(wanted.type, wanted.count, course_title);
      end if;
    end if;

    if earlier_id is not null then
      update public.notifications
      set
        count = wanted.count,
        title = wanted.title,
        message = wanted.message,
        data = data || coalesce(wanted.data, '{}'),
        related_entity_type = wanted.related_entity_type,
        related_entity_id = wanted.related_entity_id
      where id = earlier_id
      returning private.notification_json(notifications) into written;
    else
      insert into public.notifications (
        user_id, type, level, title, message, data, course_id, related_entity_type,
        related_entity_id, count, dedupe_key, created_at, expires_at
      )
      values (
        wanted.user_id, wanted.type, coalesce(wanted.level, 'info'), wanted.title, wanted.message,
        coalesce(wanted.data, '{}'), wanted.course_id, wanted.related_entity_type,
        wanted.related_entity_id, wanted.count, wanted.dedupe_key, moment, wanted.expires_at
      )
      on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
      returning private.notification_json(notifications) into written;
      if not found then
        continue;
      end if;
    end if;
    events := events || jsonb_build_object(
      'topic', 'user:' || wanted.user_id,
      'event', case when earlier_id is null then 'notification.created' else 'notification.updated' end,
      'payload', jsonb_build_object(
        'notification', written, 'unreadDelta', (earlier_id is null)::integer
      )
    );
  end loop;
  setting := set_config('homeroom.telling', '', true);
  return events;
end;
$$;
-- <<< notifications/write.sql

-- >>> payments/triggers.sql
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
-- <<< payments/triggers.sql

-- >>> presence/presence.sql
-- Ends the presence of those whose heartbeat stopped, such as a killed browser's. Run each minute.
create or replace function private.end_ghost_presence() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  ended integer;
begin
  update public.student_presence
  set status = 'offline'
  where id in (
    select id from public.student_presence
    where status <> 'offline' and last_seen_at < now() - interval '90 seconds'
    for update skip locked
  );
  get diagnostics ended = row_count;
  return ended;
end;
$$;
-- <<< presence/presence.sql

-- >>> reviews/triggers.sql
-- A review of a course.
create or replace function private.after_review() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
begin
  select
    array_agg(user_id), array_agg(course_id), array_agg(id),
    array_agg(jsonb_build_object('rating', rating))
  into students, courses, entities, details
  from inserted;
  if students is not null then
    perform private.tell_instructors(
      'review', 'reviewed', 'New Course Review', '%s reviewed "%s"', 'review',
      students, courses, entities, details
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_review
after insert on public.course_reviews
referencing new table as inserted
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review();
-- <<< reviews/triggers.sql

CREATE POLICY "users see what can be earned" ON "achievements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (true);

CREATE POLICY "students see what they have earned" ON "user_achievements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see what they did, staff what was done in their courses" ON "student_activity" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "students see their registrations, staff those of their workshops" ON "workshop_registrations" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "members of a course see its workshops" ON "workshops" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "users see who teaches the courses they see" ON "course_instructors" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or exists (select 1 from public.courses where courses.id = course_id));

CREATE POLICY "users see published courses, and those they take part in" ON "courses" AS PERMISSIVE FOR SELECT TO "authenticated" USING (status = 'published' or id in (select private.joined_course_ids()));

CREATE POLICY "users see the lessons of modules they see" ON "lessons" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((is_published and exists (select 1 from public.modules where modules.id = module_id)) or module_id in (select id from public.modules where course_id in (select private.taught_course_ids())));

CREATE POLICY "users see the modules of courses they see" ON "modules" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((is_published and exists (select 1 from public.courses where courses.id = course_id)) or course_id in (select private.taught_course_ids()));

CREATE POLICY "students see their certificates, staff those of their courses" ON "certificates" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "members of a course see its threads" ON "discussion_threads" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "members of a course see the messages of its threads" ON "thread_messages" AS PERMISSIVE FOR SELECT TO "authenticated" USING (thread_id in (select id from public.discussion_threads where course_id in (select private.joined_course_ids())));

CREATE POLICY "students see their enrollments, staff those of their courses" ON "enrollments" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "users enroll themselves in published courses without a price" ON "enrollments" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.courses where courses.id = course_id and courses.status = 'published' and courses.price_cents = 0));

CREATE POLICY "users see themselves, administrators everybody" ON "users" AS PERMISSIVE FOR SELECT TO "authenticated" USING (id = (select auth.uid()) or (select private.is_admin()));

CREATE POLICY "users change their own profile" ON "users" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (id = (select auth.uid())) WITH CHECK (id = (select auth.uid()));

CREATE POLICY "readers of a topic see its head" ON "private"."live_topics" AS PERMISSIVE FOR SELECT TO "authenticated" USING (private.can_read_topic(topic, (select auth.uid())));

CREATE POLICY "sender and recipient see a message" ON "messages" AS PERMISSIVE FOR SELECT TO "authenticated" USING (sender_id = (select auth.uid()) or recipient_id = (select auth.uid()));

CREATE POLICY "users keep their own preferences" ON "notification_preferences" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "users see their own notifications" ON "notifications" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users mark their own notifications" ON "notifications" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "users remove their own notifications" ON "notifications" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users see their payments, staff those for their courses" ON "payments" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "users see their presence, staff that in their courses" ON "student_presence" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their own totals" ON "learning_stats" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see their lessons done, staff those of their courses" ON "lesson_completions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their modules done, staff those of their courses" ON "module_completions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or module_id in (select id from public.modules where course_id in (select private.taught_course_ids())));

CREATE POLICY "users see the reviews of courses they see" ON "course_reviews" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()) or exists (select 1 from public.courses where courses.id = course_id));

CREATE POLICY "users see their subscriptions" ON "subscriptions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));
