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

CREATE TABLE "course_activity_hours" (
	"course_id" uuid NOT NULL,
	"activity_type" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"quarter" smallint DEFAULT 0 NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"count" integer NOT NULL,
	"amount" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "course_activity_hours_once_per_kind" PRIMARY KEY("course_id","activity_type","hour","quarter","currency"),
	CONSTRAINT "course_activity_hours_count_up" CHECK (count > 0),
	CONSTRAINT "course_activity_hours_have_four_quarters" CHECK (quarter between 0 and 3)
);

ALTER TABLE "course_activity_hours" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_stats" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"total_enrollments" integer DEFAULT 0 NOT NULL,
	"completed_count" integer DEFAULT 0 NOT NULL,
	"rating_count" integer DEFAULT 0 NOT NULL,
	"rating_sum" integer DEFAULT 0 NOT NULL,
	"average_rating" numeric(3, 2) GENERATED ALWAYS AS (case when rating_count > 0 then round(rating_sum::numeric / rating_count, 2) end) STORED,
	"online_students" integer DEFAULT 0 NOT NULL,
	"revenue" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"counted_seq" bigint DEFAULT 0 NOT NULL,
	"hours_counted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_stats_count_up" CHECK (total_enrollments >= 0 and completed_count >= 0 and rating_count >= 0 and rating_sum >= 0 and online_students >= 0)
);

ALTER TABLE "course_stats" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "student_activity" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"activity_type" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "student_activity_has_a_known_type" CHECK (activity_type = any ('{enrolled,registered,checked_in,completed_lesson,completed_module,completed_course,reviewed,paid,asked}'))
);

ALTER TABLE "student_activity" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "announcement_courses" (
	"announcement_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	CONSTRAINT "announcement_courses_once_each" PRIMARY KEY("announcement_id","course_id")
);

ALTER TABLE "announcement_courses" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "announcements" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"author_id" uuid,
	"title" text NOT NULL,
	"content" text NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"scheduled_at" timestamp with time zone,
	"sent_at" timestamp with time zone,
	"recipient_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "announcements_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "announcements_have_a_short_text" CHECK (char_length(content) between 1 and 5000),
	CONSTRAINT "announcements_have_a_known_status" CHECK (status in ('draft', 'scheduled', 'sent')),
	CONSTRAINT "announcements_scheduled_have_a_moment" CHECK (status <> 'scheduled' or scheduled_at is not null),
	CONSTRAINT "announcements_sent_have_a_moment" CHECK ((status = 'sent') = (sent_at is not null))
);

ALTER TABLE "announcements" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "attendance_log" (
	"workshop_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"user_id" uuid NOT NULL,
	"action" text NOT NULL,
	"method" text NOT NULL,
	"happened_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"actor_id" uuid NOT NULL,
	"session_id" text,
	"reason" text DEFAULT '' NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "attendance_log_in_order" PRIMARY KEY("workshop_id","number"),
	CONSTRAINT "attendance_log_has_short_reasons" CHECK (char_length(reason) <= 500)
);

ALTER TABLE "attendance_log" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."calendar_feeds" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "calendar_feeds_have_a_token_of_their_own" UNIQUE("token")
);

ALTER TABLE "private"."calendar_feeds" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."check_in_attempts" (
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"attempted_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "private"."check_in_attempts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "workshop_presence" (
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seen" "tstzmultirange" NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "workshop_presence_once" PRIMARY KEY("workshop_id","user_id")
);

ALTER TABLE "workshop_presence" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "workshop_registrations" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workshop_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"status" text DEFAULT 'registered' NOT NULL,
	"registered_at" timestamp with time zone DEFAULT now() NOT NULL,
	"checked_in_at" timestamp with time zone,
	"method" text,
	"is_late" boolean DEFAULT false NOT NULL,
	"reminders_sent" smallint DEFAULT 0 NOT NULL,
	"sequence" integer DEFAULT 0 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workshop_registrations_once_per_student" UNIQUE("workshop_id","user_id"),
	CONSTRAINT "workshop_registrations_have_a_known_status" CHECK (status in ('registered', 'waitlisted', 'cancelled', 'checked_in')),
	CONSTRAINT "workshop_registrations_checked_in_have_a_moment" CHECK ((status = 'checked_in') = (checked_in_at is not null))
);

ALTER TABLE "workshop_registrations" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."workshop_secrets" (
	"workshop_id" uuid PRIMARY KEY NOT NULL,
	"secret" "bytea" NOT NULL
);

ALTER TABLE "private"."workshop_secrets" ENABLE ROW LEVEL SECURITY;

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
	"is_open" boolean DEFAULT false NOT NULL,
	"check_in_opens_minutes" integer DEFAULT 15 NOT NULL,
	"late_after_minutes" integer DEFAULT 10 NOT NULL,
	"capacity" integer,
	"status" text DEFAULT 'scheduled' NOT NULL,
	"sequence" integer DEFAULT 0 NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workshops_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "workshops_end_after_they_start" CHECK (ends_at > starts_at),
	CONSTRAINT "workshops_have_room" CHECK (capacity > 0),
	CONSTRAINT "workshops_have_a_web_address" CHECK (meeting_url ~ '^https://'),
	CONSTRAINT "workshops_open_within_a_day" CHECK (check_in_opens_minutes between 0 and 1440 and late_after_minutes between 0 and 1440),
	CONSTRAINT "workshops_have_a_known_status" CHECK (status in ('scheduled', 'live', 'ended', 'cancelled'))
);

ALTER TABLE "workshops" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_drafts" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"details" jsonb,
	"details_version" integer DEFAULT 0 NOT NULL,
	"outline" jsonb,
	"outline_version" integer DEFAULT 0 NOT NULL,
	"updated_by" uuid,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_drafts_are_bounded" CHECK (octet_length(details::text) <= 262144 and octet_length(outline::text) <= 1048576)
);

ALTER TABLE "course_drafts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_instructors" (
	"course_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_instructors_once_per_course" PRIMARY KEY("course_id","user_id")
);

ALTER TABLE "course_instructors" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_versions" (
	"course_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"changes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"published_by" uuid,
	"published_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_versions_count_up" PRIMARY KEY("course_id","version"),
	CONSTRAINT "course_versions_begin_at_one" CHECK (version >= 1),
	CONSTRAINT "course_versions_have_a_short_note" CHECK (char_length(note) <= 2000)
);

ALTER TABLE "course_versions" ENABLE ROW LEVEL SECURITY;

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
	"version" integer DEFAULT 0 NOT NULL,
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

CREATE TABLE "lesson_drafts" (
	"lesson_id" uuid PRIMARY KEY NOT NULL,
	"course_id" uuid NOT NULL,
	"edit" jsonb,
	"version" integer DEFAULT 0 NOT NULL,
	"updated_by" uuid,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lesson_drafts_are_bounded" CHECK (octet_length(edit::text) <= 1048576)
);

ALTER TABLE "lesson_drafts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lesson_versions" (
	"lesson_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"fields" jsonb NOT NULL,
	CONSTRAINT "lesson_versions_once_per_version" PRIMARY KEY("lesson_id","version"),
	CONSTRAINT "lesson_versions_begin_at_zero" CHECK (version >= 0)
);

ALTER TABLE "lesson_versions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "lessons" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"module_id" uuid NOT NULL,
	"title" text NOT NULL,
	"content" text DEFAULT '' NOT NULL,
	"kind" text DEFAULT 'text' NOT NULL,
	"video_url" text,
	"captions_url" text,
	"attachments" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"quiz" jsonb,
	"position" integer NOT NULL,
	"duration_minutes" integer DEFAULT 0 NOT NULL,
	"is_published" boolean DEFAULT true NOT NULL,
	"is_required" boolean DEFAULT true NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"removed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lessons_have_a_place_of_their_own" UNIQUE("module_id","position"),
	CONSTRAINT "lessons_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "lessons_have_a_known_kind" CHECK (kind in ('text', 'video', 'quiz')),
	CONSTRAINT "lessons_take_a_day_at_most" CHECK (duration_minutes between 0 and 1440),
	CONSTRAINT "lessons_have_bounded_content" CHECK (octet_length(content) <= 262144),
	CONSTRAINT "lessons_link_by_https" CHECK (video_url ~ '^(https://|/[^/\\])' and captions_url ~ '^(https://|/[^/\\])'),
	CONSTRAINT "lessons_link_files_by_https" CHECK (not jsonb_path_exists(attachments, '$[*] ? (!(@.url like_regex "^(https://|/[^/\\\\])"))')),
	CONSTRAINT "lessons_of_kind_quiz_have_one" CHECK (kind <> 'quiz' or not is_published or quiz is not null),
	CONSTRAINT "lessons_removed_are_not_published" CHECK (removed_at is null or not is_published)
);

ALTER TABLE "lessons" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "modules" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"course_id" uuid NOT NULL,
	"title" text NOT NULL,
	"summary" text DEFAULT '' NOT NULL,
	"position" integer NOT NULL,
	"is_published" boolean DEFAULT true NOT NULL,
	"removed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "modules_have_a_place_of_their_own" UNIQUE("course_id","position"),
	CONSTRAINT "modules_have_a_title" CHECK (char_length(title) between 1 and 200),
	CONSTRAINT "modules_removed_are_not_published" CHECK (removed_at is null or not is_published)
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

CREATE TABLE "private"."notification_digests" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"period" date NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"through" timestamp with time zone NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"retry_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "notification_digests_once_per_period" UNIQUE("user_id","period"),
	CONSTRAINT "notification_digests_have_a_known_status" CHECK (status in ('queued', 'sent', 'dropped', 'failed'))
);

ALTER TABLE "private"."notification_digests" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "notification_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"has_quiet_hours" boolean DEFAULT false NOT NULL,
	"quiet_from" time(0) DEFAULT '22:00' NOT NULL,
	"quiet_to" time(0) DEFAULT '07:00' NOT NULL,
	"quiet_days" smallint[] DEFAULT '{1,2,3,4,5,6,7}' NOT NULL,
	"digest" text DEFAULT 'off' NOT NULL,
	"digest_weekday" smallint DEFAULT 1 NOT NULL,
	"digest_hour" smallint DEFAULT 8 NOT NULL,
	"digest_due_at" timestamp with time zone,
	"digest_since" timestamp with time zone,
	"digest_period" date,
	"digest_key" uuid DEFAULT gen_random_uuid() NOT NULL,
	CONSTRAINT "notification_settings_once_per_digest_key" UNIQUE("digest_key"),
	CONSTRAINT "notification_settings_have_quiet_hours_that_end" CHECK (quiet_from <> quiet_to),
	CONSTRAINT "notification_settings_have_quiet_days" CHECK (cardinality(quiet_days) between 1 and 7 and quiet_days <@ '{1,2,3,4,5,6,7}'::smallint[]),
	CONSTRAINT "notification_settings_have_a_known_digest" CHECK (digest in ('off', 'daily', 'weekly')),
	CONSTRAINT "notification_settings_have_a_weekday" CHECK (digest_weekday between 1 and 7),
	CONSTRAINT "notification_settings_have_an_hour" CHECK (digest_hour between 0 and 23)
);

ALTER TABLE "notification_settings" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "discussion_threads" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"course_id" uuid NOT NULL,
	"lesson_id" uuid,
	"title" text NOT NULL,
	"created_by" uuid,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_pinned" boolean DEFAULT false NOT NULL,
	"is_locked" boolean DEFAULT false NOT NULL,
	"slow_mode_seconds" integer DEFAULT 0 NOT NULL,
	"answer_id" uuid,
	"last_number" integer DEFAULT 0 NOT NULL,
	"last_message_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_sender_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "discussion_threads_have_a_title" CHECK (char_length(title) between 1 and 255),
	CONSTRAINT "discussion_threads_slow_down_to_an_hour" CHECK (slow_mode_seconds between 0 and 3600),
	CONSTRAINT "discussion_threads_count_up" CHECK (last_number >= 0)
);

ALTER TABLE "discussion_threads" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."due_threads" (
	"thread_id" uuid PRIMARY KEY NOT NULL
);

ALTER TABLE "private"."due_threads" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_message_reactions" (
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"emoji" text NOT NULL,
	CONSTRAINT "thread_message_reactions_once_per_sign" PRIMARY KEY("message_id","emoji","user_id"),
	CONSTRAINT "thread_message_reactions_are_known" CHECK (emoji in ('👍', '❤️', '🎉', '😄', '🤔', '👀', '🙏', '✅'))
);

ALTER TABLE "thread_message_reactions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_message_reports" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"message_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"reporter_id" uuid,
	"reason" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"snapshot" jsonb NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"resolved_by" uuid,
	"resolved_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "thread_message_reports_once_per_reporter" UNIQUE("message_id","reporter_id"),
	CONSTRAINT "thread_message_reports_have_a_known_reason" CHECK (reason in ('spam', 'harassment', 'cheating', 'off_topic', 'other')),
	CONSTRAINT "thread_message_reports_have_a_known_status" CHECK (status in ('open', 'dismissed', 'removed')),
	CONSTRAINT "thread_message_reports_have_a_short_note" CHECK (char_length(note) <= 1000)
);

ALTER TABLE "thread_message_reports" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_message_revisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "thread_message_revisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"message_id" uuid NOT NULL,
	"content" text NOT NULL,
	"written_at" timestamp with time zone NOT NULL,
	"replaced_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "thread_message_revisions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_messages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"thread_id" uuid NOT NULL,
	"number" integer DEFAULT 0 NOT NULL,
	"sender_id" uuid,
	"parent_id" uuid,
	"content" text NOT NULL,
	"mentions" uuid[] DEFAULT '{}' NOT NULL,
	"endorsed_by" uuid,
	"is_helpful" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"edited_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"deleted_by" uuid,
	CONSTRAINT "thread_messages_say_something" CHECK (char_length(content) <= 20000 and (content ~ '\S' or deleted_at is not null))
);

ALTER TABLE "thread_messages" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "thread_readers" (
	"thread_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_number" integer DEFAULT 0 NOT NULL,
	"level" text DEFAULT 'normal' NOT NULL,
	CONSTRAINT "thread_readers_once" PRIMARY KEY("thread_id","user_id"),
	CONSTRAINT "thread_readers_have_a_known_level" CHECK (level in ('watching', 'tracking', 'normal', 'muted')),
	CONSTRAINT "thread_readers_count_up" CHECK (read_number >= 0)
);

ALTER TABLE "thread_readers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "enrollments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"progress" real DEFAULT 0 NOT NULL,
	"course_version" integer,
	"required_count" integer,
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

CREATE TABLE "hidden_students" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "hidden_students" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_counts" (
	"board" text NOT NULL,
	"level" integer NOT NULL,
	"bucket" integer NOT NULL,
	"students" integer NOT NULL,
	CONSTRAINT "leaderboard_counts_pk" PRIMARY KEY("board","level","bucket")
);

ALTER TABLE "private"."leaderboard_counts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_followers" (
	"user_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"told" jsonb,
	"until" timestamp with time zone NOT NULL,
	CONSTRAINT "leaderboard_followers_pk" PRIMARY KEY("scope","user_id")
);

ALTER TABLE "private"."leaderboard_followers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_scores" (
	"board" text NOT NULL,
	"user_id" uuid NOT NULL,
	"score" integer DEFAULT 0 NOT NULL,
	"shown_score" integer,
	"counted_score" integer,
	"week" date NOT NULL,
	"score_before_week" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "leaderboard_scores_pk" PRIMARY KEY("board","user_id")
);

ALTER TABLE "private"."leaderboard_scores" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."leaderboard_told" (
	"scope" text PRIMARY KEY NOT NULL,
	"board" text NOT NULL,
	"entries" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"students" integer DEFAULT 0 NOT NULL,
	"is_stale" boolean DEFAULT false NOT NULL,
	"told_at" timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE "private"."leaderboard_told" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "point_entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "point_entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" uuid NOT NULL,
	"course_id" uuid,
	"reason" text NOT NULL,
	"subject" text NOT NULL,
	"turn" integer DEFAULT 1 NOT NULL,
	"tenths" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "point_entries_once_per_reason" UNIQUE("user_id","reason","subject","turn"),
	CONSTRAINT "point_entries_have_a_known_reason" CHECK (reason in ('course', 'certificate', 'time', 'quiz', 'achievement', 'certificate_revoked'))
);

ALTER TABLE "point_entries" ENABLE ROW LEVEL SECURITY;

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
	"epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "live_topics_count_up" CHECK (seq >= 0)
);

ALTER TABLE "private"."live_topics" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "conversation_readers" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_number" integer DEFAULT 0 NOT NULL,
	"delivered_number" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "conversation_readers_once" PRIMARY KEY("conversation_id","user_id"),
	CONSTRAINT "conversation_readers_count_up" CHECK (read_number >= 0 and delivered_number >= 0)
);

ALTER TABLE "conversation_readers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "conversations" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"low_id" uuid,
	"high_id" uuid,
	"last_number" integer DEFAULT 0 NOT NULL,
	"last_message_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversations_once_per_pair" UNIQUE("low_id","high_id"),
	CONSTRAINT "conversations_name_the_lower_first" CHECK (low_id < high_id)
);

ALTER TABLE "conversations" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_message_settings" (
	"course_id" uuid PRIMARY KEY NOT NULL,
	"students_may_write" boolean DEFAULT true NOT NULL
);

ALTER TABLE "course_message_settings" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_blocks" (
	"blocker_id" uuid NOT NULL,
	"blocked_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_blocks_once" PRIMARY KEY("blocker_id","blocked_id")
);

ALTER TABLE "message_blocks" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_reports" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"message_id" uuid NOT NULL,
	"reporter_id" uuid,
	"reason" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"snapshot" jsonb NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"resolved_by" uuid,
	"resolved_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_reports_once_per_reporter" UNIQUE("message_id","reporter_id"),
	CONSTRAINT "message_reports_have_a_known_status" CHECK (status in ('open', 'dismissed', 'removed')),
	CONSTRAINT "message_reports_have_a_known_reason" CHECK (reason in ('spam', 'harassment', 'cheating', 'off_topic', 'other')),
	CONSTRAINT "message_reports_have_a_short_note" CHECK (char_length(note) <= 1000)
);

ALTER TABLE "message_reports" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "message_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"sends_receipts" boolean DEFAULT true NOT NULL,
	"shows_typing" boolean DEFAULT true NOT NULL
);

ALTER TABLE "message_settings" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "messages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"sender_id" uuid,
	"recipient_id" uuid,
	"content" text NOT NULL,
	"read_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"conversation_id" uuid,
	"number" integer DEFAULT 0 NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "messages_say_something" CHECK (char_length(content) <= 20000 and (content <> '' or removed_at is not null)),
	CONSTRAINT "messages_go_to_someone_else" CHECK (sender_id <> recipient_id)
);

ALTER TABLE "messages" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."browser_errors" (
	"fingerprint" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"place" text NOT NULL,
	"message" text NOT NULL,
	"path" text NOT NULL,
	"occurrences" bigint DEFAULT 0 NOT NULL,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "browser_errors_are_short" CHECK (char_length(message) <= 500 and char_length(path) <= 300 and char_length(place) <= 100)
);

ALTER TABLE "private"."browser_errors" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."job_runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "private"."job_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone NOT NULL,
	"is_ok" boolean NOT NULL,
	"row_count" bigint DEFAULT 0 NOT NULL,
	"error" text,
	"repeats" integer DEFAULT 1 NOT NULL
);

ALTER TABLE "private"."job_runs" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."monitoring_minutes" (
	"minute" timestamp with time zone NOT NULL,
	"source" text NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"failed_calls" bigint DEFAULT 0 NOT NULL,
	"call_buckets" bigint[] DEFAULT '{}' NOT NULL,
	"tabs" bigint DEFAULT 0 NOT NULL,
	"live_tabs" bigint DEFAULT 0 NOT NULL,
	"opened" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"lost" bigint DEFAULT 0 NOT NULL,
	"recovered" bigint DEFAULT 0 NOT NULL,
	"messages" bigint DEFAULT 0 NOT NULL,
	"screen_buckets" bigint[] DEFAULT '{}' NOT NULL,
	"live_seconds" bigint DEFAULT 0 NOT NULL,
	"still_seconds" bigint DEFAULT 0 NOT NULL,
	"live_actions" bigint DEFAULT 0 NOT NULL,
	"still_actions" bigint DEFAULT 0 NOT NULL,
	"browser_errors" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "monitoring_minutes_one_each" PRIMARY KEY("minute","source"),
	CONSTRAINT "monitoring_minutes_are_of_a_portal" CHECK (source ~ '^[a-z]{1,20}$')
);

ALTER TABLE "private"."monitoring_minutes" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."monitoring_watchers" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"until" timestamp with time zone NOT NULL
);

ALTER TABLE "private"."monitoring_watchers" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."jobs" (
	"name" text PRIMARY KEY NOT NULL,
	"schedule" text NOT NULL,
	"statement" text NOT NULL,
	"last_finished_at" timestamp with time zone,
	"last_ok" boolean,
	"last_rows" bigint,
	"last_ms" integer,
	"last_error" text,
	"last_failed_at" timestamp with time zone,
	"failures" bigint DEFAULT 0 NOT NULL
);

ALTER TABLE "private"."jobs" ENABLE ROW LEVEL SECURITY;

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
	"channel" text DEFAULT 'app' NOT NULL,
	"course_id" uuid,
	"enabled" boolean NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "notification_preferences_once_per_type_channel_and_course" UNIQUE NULLS NOT DISTINCT("user_id","type","channel","course_id"),
	CONSTRAINT "notification_preferences_have_a_known_type" CHECK (type = any ('{enrollment,workshop_registration,course_completion,review,payment,lesson_completion,certificate,achievement,subscription,announcement,message,mention,workshop,system}')),
	CONSTRAINT "notification_preferences_have_a_known_channel" CHECK (channel in ('app', 'email'))
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
	"archived_at" timestamp with time zone,
	"snoozed_until" timestamp with time zone,
	"woken_at" timestamp with time zone,
	"listed_at" timestamp with time zone GENERATED ALWAYS AS (coalesce(woken_at, created_at)) STORED NOT NULL,
	"box" text GENERATED ALWAYS AS (case when archived_at is not null then 'archived' when snoozed_until is not null then 'snoozed' else 'inbox' end) STORED NOT NULL,
	CONSTRAINT "notifications_have_a_known_type" CHECK (type = any ('{enrollment,workshop_registration,course_completion,review,payment,lesson_completion,certificate,achievement,subscription,announcement,message,mention,workshop,system}')),
	CONSTRAINT "notifications_have_a_known_level" CHECK (level = any ('{info,success,warning,error}')),
	CONSTRAINT "notifications_have_a_title" CHECK (char_length(title) between 1 and 255),
	CONSTRAINT "notifications_have_a_short_message" CHECK (char_length(message) <= 5000),
	CONSTRAINT "notifications_data_is_an_object" CHECK (jsonb_typeof(data) = 'object'),
	CONSTRAINT "notifications_count_up" CHECK (count >= 1),
	CONSTRAINT "notifications_are_in_one_box" CHECK (archived_at is null or snoozed_until is null)
);

ALTER TABLE "notifications" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."payment_events" (
	"provider" text NOT NULL,
	"id" text NOT NULL,
	"type" text NOT NULL,
	"reference" text NOT NULL,
	"outcome" text,
	"happened_at" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payment_events_once_each" PRIMARY KEY("provider","id")
);

ALTER TABLE "private"."payment_events" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "payments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid,
	"course_id" uuid,
	"amount_cents" integer NOT NULL,
	"refunded_cents" integer DEFAULT 0 NOT NULL,
	"currency" text DEFAULT 'EUR' NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"provider" text DEFAULT 'manual' NOT NULL,
	"provider_reference" text,
	"paid_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_once_per_provider_reference" UNIQUE("provider","provider_reference"),
	CONSTRAINT "payments_are_no_negative_amount" CHECK (amount_cents >= 0 and currency ~ '^[A-Z]{3}$'),
	CONSTRAINT "payments_refund_no_negative_amount" CHECK (refunded_cents >= 0),
	CONSTRAINT "payments_have_a_known_status" CHECK (status in ('pending', 'succeeded', 'failed', 'refunded'))
);

ALTER TABLE "payments" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."presence_crowds" (
	"topic" text PRIMARY KEY NOT NULL
);

ALTER TABLE "private"."presence_crowds" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."presence_leases" (
	"topic" text NOT NULL,
	"user_id" uuid NOT NULL,
	"status" text NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"online_at" timestamp with time zone NOT NULL,
	CONSTRAINT "presence_leases_once_per_person" PRIMARY KEY("topic","user_id"),
	CONSTRAINT "presence_leases_have_a_known_status" CHECK (status in ('online', 'away', 'hidden'))
);

ALTER TABLE "private"."presence_leases" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "presence_settings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"is_invisible" boolean DEFAULT false NOT NULL
);

ALTER TABLE "presence_settings" ENABLE ROW LEVEL SECURITY;

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
	"lessons_completed" integer DEFAULT 0 NOT NULL,
	"courses_completed" integer DEFAULT 0 NOT NULL,
	"certificates_earned" integer DEFAULT 0 NOT NULL,
	"time_spent_seconds" integer DEFAULT 0 NOT NULL,
	"total_time_spent" integer DEFAULT 0 NOT NULL,
	"average_score" numeric(5, 2),
	"helpful_answers" integer DEFAULT 0 NOT NULL,
	"current_streak_days" integer DEFAULT 0 NOT NULL,
	"longest_streak_days" integer DEFAULT 0 NOT NULL,
	"last_active_day" date,
	"last_active_at" timestamp with time zone,
	"time_reported_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "learning_stats_count_up" CHECK (lessons_completed >= 0 and courses_completed >= 0 and certificates_earned >= 0 and time_spent_seconds >= 0 and total_time_spent >= 0 and helpful_answers >= 0 and current_streak_days >= 0 and longest_streak_days >= current_streak_days),
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

CREATE TABLE "lesson_progress" (
	"user_id" uuid NOT NULL,
	"lesson_id" uuid NOT NULL,
	"place" real DEFAULT 0 NOT NULL,
	"time_spent_seconds" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"best_score" numeric(5, 2),
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lesson_progress_once_per_student" PRIMARY KEY("user_id","lesson_id"),
	CONSTRAINT "lesson_progress_has_a_place_in_the_lesson" CHECK (place between 0 and 1),
	CONSTRAINT "lesson_progress_counts_up" CHECK (time_spent_seconds >= 0 and attempts >= 0),
	CONSTRAINT "lesson_progress_score_is_a_percentage" CHECK (best_score between 0 and 100)
);

ALTER TABLE "lesson_progress" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "module_completions" (
	"user_id" uuid NOT NULL,
	"module_id" uuid NOT NULL,
	"completed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "module_completions_once_per_student" PRIMARY KEY("user_id","module_id")
);

ALTER TABLE "module_completions" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "quiz_attempts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"lesson_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"revision" integer NOT NULL,
	"answers" jsonb NOT NULL,
	"results" jsonb NOT NULL,
	"score" numeric(5, 2) NOT NULL,
	"is_passed" boolean NOT NULL,
	"submitted_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "quiz_attempts_have_a_number" UNIQUE("user_id","lesson_id","number"),
	CONSTRAINT "quiz_attempts_score_is_a_percentage" CHECK (score between 0 and 100),
	CONSTRAINT "quiz_attempts_count_up" CHECK (number >= 1)
);

ALTER TABLE "quiz_attempts" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "course_reviews" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"course_id" uuid NOT NULL,
	"rating" smallint NOT NULL,
	"comment" text DEFAULT '' NOT NULL,
	"reply" text DEFAULT '' NOT NULL,
	"replied_by" uuid,
	"replied_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "course_reviews_once_per_student" UNIQUE("user_id","course_id"),
	CONSTRAINT "course_reviews_rate_from_1_to_5" CHECK (rating between 1 and 5),
	CONSTRAINT "course_reviews_have_a_short_comment" CHECK (char_length(comment) <= 5000),
	CONSTRAINT "course_reviews_have_a_short_reply" CHECK (char_length(reply) <= 5000)
);

ALTER TABLE "course_reviews" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."service_key_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "private"."service_key_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key_id" uuid NOT NULL,
	"action" text NOT NULL,
	"outcome" text DEFAULT 'ok' NOT NULL,
	"actor_id" uuid,
	"subject_id" uuid,
	"request_id" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "service_key_log_is_short" CHECK (char_length(action) <= 100 and char_length(outcome) <= 60)
);

ALTER TABLE "private"."service_key_log" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."service_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"key_hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"calls_per_minute" integer NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "service_keys_once_per_hash" UNIQUE("key_hash"),
	CONSTRAINT "service_keys_have_a_name" CHECK (char_length(name) between 1 and 100),
	CONSTRAINT "service_keys_have_a_prefix" CHECK (prefix ~ '^hr_[A-Za-z0-9_-]{6}$'),
	CONSTRAINT "service_keys_are_hashed" CHECK (key_hash ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "service_keys_have_known_scopes" CHECK (cardinality(scopes) > 0 and scopes <@ '{enrollments:write,notifications:write,payments:write,progress:write,subscriptions:write,users:read}'::text[]),
	CONSTRAINT "service_keys_have_a_rate" CHECK (calls_per_minute between 1 and 60000),
	CONSTRAINT "service_keys_end_after_they_begin" CHECK (expires_at > created_at)
);

ALTER TABLE "private"."service_keys" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."subscription_events" (
	"provider" text NOT NULL,
	"id" text NOT NULL,
	"reference" text NOT NULL,
	"type" text NOT NULL,
	"rank" smallint NOT NULL,
	"happened_at" timestamp with time zone NOT NULL,
	"told" jsonb NOT NULL,
	"outcome" text NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscription_events_once_each" PRIMARY KEY("provider","id"),
	CONSTRAINT "subscription_events_have_a_known_outcome" CHECK (outcome in ('recorded', 'unmatched'))
);

ALTER TABLE "private"."subscription_events" ENABLE ROW LEVEL SECURITY;

CREATE TABLE "private"."subscription_reminders" (
	"subscription_id" uuid NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"days_before" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscription_reminders_once_each" PRIMARY KEY("subscription_id","expires_at","days_before"),
	CONSTRAINT "subscription_reminders_are_7_3_1_days_before" CHECK (days_before in (7, 3, 1))
);

ALTER TABLE "private"."subscription_reminders" ENABLE ROW LEVEL SECURITY;

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
	"renews_automatically" boolean DEFAULT false NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "subscriptions_once_per_provider_reference" UNIQUE("provider","provider_reference"),
	CONSTRAINT "subscriptions_have_a_known_status" CHECK (status in ('active', 'past_due', 'cancelled', 'expired')),
	CONSTRAINT "subscriptions_end_after_they_start" CHECK (expires_at > started_at)
);

ALTER TABLE "subscriptions" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "user_achievements" ADD CONSTRAINT "user_achievements_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "user_achievements" ADD CONSTRAINT "user_achievements_achievement_key_achievements_key_fk" FOREIGN KEY ("achievement_key") REFERENCES "public"."achievements"("key") ON DELETE restrict ON UPDATE cascade;

ALTER TABLE "course_activity_hours" ADD CONSTRAINT "course_activity_hours_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_stats" ADD CONSTRAINT "course_stats_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_activity" ADD CONSTRAINT "student_activity_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_activity" ADD CONSTRAINT "student_activity_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcement_courses" ADD CONSTRAINT "announcement_courses_announcement_id_announcements_id_fk" FOREIGN KEY ("announcement_id") REFERENCES "public"."announcements"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcement_courses" ADD CONSTRAINT "announcement_courses_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "announcements" ADD CONSTRAINT "announcements_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "attendance_log" ADD CONSTRAINT "attendance_log_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;

ALTER TABLE "private"."calendar_feeds" ADD CONSTRAINT "calendar_feeds_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."check_in_attempts" ADD CONSTRAINT "check_in_attempts_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."check_in_attempts" ADD CONSTRAINT "check_in_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_presence" ADD CONSTRAINT "workshop_presence_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_presence" ADD CONSTRAINT "workshop_presence_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_registrations" ADD CONSTRAINT "workshop_registrations_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshop_registrations" ADD CONSTRAINT "workshop_registrations_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."workshop_secrets" ADD CONSTRAINT "workshop_secrets_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "workshops" ADD CONSTRAINT "workshops_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_drafts" ADD CONSTRAINT "course_drafts_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_drafts" ADD CONSTRAINT "course_drafts_updated_by_users_id_fk" FOREIGN KEY ("updated_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_instructors" ADD CONSTRAINT "course_instructors_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_instructors" ADD CONSTRAINT "course_instructors_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_versions" ADD CONSTRAINT "course_versions_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_versions" ADD CONSTRAINT "course_versions_published_by_users_id_fk" FOREIGN KEY ("published_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "courses" ADD CONSTRAINT "courses_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_drafts" ADD CONSTRAINT "lesson_drafts_updated_by_users_id_fk" FOREIGN KEY ("updated_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "lesson_versions" ADD CONSTRAINT "lesson_versions_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_versions" ADD CONSTRAINT "lesson_versions_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lessons" ADD CONSTRAINT "lessons_module_id_modules_id_fk" FOREIGN KEY ("module_id") REFERENCES "public"."modules"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "modules" ADD CONSTRAINT "modules_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "certificates" ADD CONSTRAINT "certificates_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "certificates" ADD CONSTRAINT "certificates_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE restrict ON UPDATE no action;

ALTER TABLE "private"."notification_digests" ADD CONSTRAINT "notification_digests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notification_settings" ADD CONSTRAINT "notification_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_answer_id_thread_messages_id_fk" FOREIGN KEY ("answer_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "discussion_threads" ADD CONSTRAINT "discussion_threads_last_sender_id_users_id_fk" FOREIGN KEY ("last_sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "private"."due_threads" ADD CONSTRAINT "due_threads_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reactions" ADD CONSTRAINT "thread_message_reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_reporter_id_users_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_reports" ADD CONSTRAINT "thread_message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_message_revisions" ADD CONSTRAINT "thread_message_revisions_message_id_thread_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."thread_messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_sender_id_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_parent_id_thread_messages_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."thread_messages"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_endorsed_by_users_id_fk" FOREIGN KEY ("endorsed_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_messages" ADD CONSTRAINT "thread_messages_deleted_by_users_id_fk" FOREIGN KEY ("deleted_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_thread_id_discussion_threads_id_fk" FOREIGN KEY ("thread_id") REFERENCES "public"."discussion_threads"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "thread_readers" ADD CONSTRAINT "thread_readers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "users" ADD CONSTRAINT "users_id_users_id_fk" FOREIGN KEY ("id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "hidden_students" ADD CONSTRAINT "hidden_students_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."leaderboard_followers" ADD CONSTRAINT "leaderboard_followers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."leaderboard_scores" ADD CONSTRAINT "leaderboard_scores_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "point_entries" ADD CONSTRAINT "point_entries_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "point_entries" ADD CONSTRAINT "point_entries_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "conversation_readers" ADD CONSTRAINT "conversation_readers_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "conversation_readers" ADD CONSTRAINT "conversation_readers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "conversations" ADD CONSTRAINT "conversations_low_id_users_id_fk" FOREIGN KEY ("low_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "conversations" ADD CONSTRAINT "conversations_high_id_users_id_fk" FOREIGN KEY ("high_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "course_message_settings" ADD CONSTRAINT "course_message_settings_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_blocks" ADD CONSTRAINT "message_blocks_blocker_id_users_id_fk" FOREIGN KEY ("blocker_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_blocks" ADD CONSTRAINT "message_blocks_blocked_id_users_id_fk" FOREIGN KEY ("blocked_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_reporter_id_users_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "message_reports" ADD CONSTRAINT "message_reports_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "message_settings" ADD CONSTRAINT "message_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "messages" ADD CONSTRAINT "messages_sender_id_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "messages" ADD CONSTRAINT "messages_recipient_id_users_id_fk" FOREIGN KEY ("recipient_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "messages" ADD CONSTRAINT "messages_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "private"."monitoring_watchers" ADD CONSTRAINT "monitoring_watchers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "notifications" ADD CONSTRAINT "notifications_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "payments" ADD CONSTRAINT "payments_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "payments" ADD CONSTRAINT "payments_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "private"."presence_leases" ADD CONSTRAINT "presence_leases_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "presence_settings" ADD CONSTRAINT "presence_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "student_presence" ADD CONSTRAINT "student_presence_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "learning_stats" ADD CONSTRAINT "learning_stats_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_completions" ADD CONSTRAINT "lesson_completions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_completions" ADD CONSTRAINT "lesson_completions_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_progress" ADD CONSTRAINT "lesson_progress_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "lesson_progress" ADD CONSTRAINT "lesson_progress_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "module_completions" ADD CONSTRAINT "module_completions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "module_completions" ADD CONSTRAINT "module_completions_module_id_modules_id_fk" FOREIGN KEY ("module_id") REFERENCES "public"."modules"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "quiz_attempts" ADD CONSTRAINT "quiz_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "quiz_attempts" ADD CONSTRAINT "quiz_attempts_lesson_id_lessons_id_fk" FOREIGN KEY ("lesson_id") REFERENCES "public"."lessons"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "course_reviews" ADD CONSTRAINT "course_reviews_replied_by_users_id_fk" FOREIGN KEY ("replied_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "private"."service_key_log" ADD CONSTRAINT "service_key_log_key_id_service_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "private"."service_keys"("id") ON DELETE no action ON UPDATE no action;

ALTER TABLE "private"."service_keys" ADD CONSTRAINT "service_keys_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;

ALTER TABLE "private"."subscription_reminders" ADD CONSTRAINT "subscription_reminders_subscription_id_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."subscriptions"("id") ON DELETE cascade ON UPDATE no action;

ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "user_achievements_by_achievement" ON "user_achievements" USING btree ("achievement_key","earned_at");

CREATE INDEX "student_activity_of_course_newest_first" ON "student_activity" USING btree ("course_id","created_at","id");

CREATE INDEX "student_activity_by_user" ON "student_activity" USING btree ("user_id","created_at");

CREATE INDEX "announcement_courses_by_course" ON "announcement_courses" USING btree ("course_id");

CREATE INDEX "announcements_of_author_newest_first" ON "announcements" USING btree ("author_id","created_at","id");

CREATE INDEX "announcements_due" ON "announcements" USING btree ("scheduled_at") WHERE status = 'scheduled';

CREATE INDEX "check_in_attempts_newest_first" ON "private"."check_in_attempts" USING btree ("workshop_id","user_id","attempted_at");

CREATE INDEX "workshop_presence_by_user" ON "workshop_presence" USING btree ("user_id");

CREATE INDEX "workshop_registrations_in_order" ON "workshop_registrations" USING btree ("workshop_id","registered_at","id");

CREATE INDEX "workshop_registrations_of_student_newest_first" ON "workshop_registrations" USING btree ("user_id","registered_at","id");

CREATE INDEX "workshops_by_start" ON "workshops" USING btree ("course_id","starts_at","id");

CREATE INDEX "workshops_open_by_start" ON "workshops" USING btree ("starts_at","id") WHERE is_open;

CREATE INDEX "course_instructors_by_user" ON "course_instructors" USING btree ("user_id","course_id");

CREATE INDEX "courses_published_newest_first" ON "courses" USING btree ("created_at","id") WHERE status = 'published';

CREATE INDEX "lesson_drafts_by_course" ON "lesson_drafts" USING btree ("course_id");

CREATE INDEX "lesson_versions_by_course" ON "lesson_versions" USING btree ("course_id");

CREATE INDEX "certificates_by_course" ON "certificates" USING btree ("course_id","issued_at");

CREATE INDEX "notification_digests_by_retry" ON "private"."notification_digests" USING btree ("retry_at") WHERE status = 'queued';

CREATE INDEX "notification_digests_by_age" ON "private"."notification_digests" USING btree ("created_at");

CREATE INDEX "notification_settings_by_due_digest" ON "notification_settings" USING btree ("digest_due_at") WHERE digest_due_at is not null;

CREATE INDEX "discussion_threads_newest_first" ON "discussion_threads" USING btree ("course_id","created_at","id");

CREATE INDEX "discussion_threads_as_listed" ON "discussion_threads" USING btree ("course_id","is_pinned","last_message_at","id");

CREATE INDEX "discussion_threads_by_lesson" ON "discussion_threads" USING btree ("lesson_id") WHERE lesson_id is not null;

CREATE INDEX "thread_message_reactions_by_user" ON "thread_message_reactions" USING btree ("user_id");

CREATE INDEX "thread_message_reports_newest_first" ON "thread_message_reports" USING btree ("course_id","created_at","id");

CREATE INDEX "thread_message_revisions_in_order" ON "thread_message_revisions" USING btree ("message_id","id");

CREATE UNIQUE INDEX "thread_messages_in_order" ON "thread_messages" USING btree ("thread_id","number");

CREATE INDEX "thread_messages_newest_first" ON "thread_messages" USING btree ("thread_id","created_at","id");

CREATE INDEX "thread_messages_by_sender" ON "thread_messages" USING btree ("sender_id","created_at");

CREATE INDEX "thread_messages_replies" ON "thread_messages" USING btree ("parent_id","number") WHERE parent_id is not null;

CREATE INDEX "thread_messages_by_words" ON "thread_messages" USING gin (to_tsvector('english', content));

CREATE INDEX "thread_readers_by_user" ON "thread_readers" USING btree ("user_id");

CREATE INDEX "enrollments_of_student_newest_first" ON "enrollments" USING btree ("user_id","enrolled_at","id");

CREATE INDEX "enrollments_of_course_newest_first" ON "enrollments" USING btree ("course_id","enrolled_at","id");

CREATE INDEX "users_by_email" ON "users" USING btree ("email");

CREATE INDEX "users_by_creation" ON "users" USING btree ("created_at","id");

CREATE INDEX "leaderboard_followers_by_user" ON "private"."leaderboard_followers" USING btree ("user_id");

CREATE INDEX "leaderboard_scores_by_score" ON "private"."leaderboard_scores" USING btree ("board","shown_score","user_id");

CREATE INDEX "leaderboard_scores_to_count" ON "private"."leaderboard_scores" USING btree ("board") WHERE shown_score is distinct from counted_score;

CREATE INDEX "leaderboard_scores_by_user" ON "private"."leaderboard_scores" USING btree ("user_id");

CREATE INDEX "point_entries_newest_first" ON "point_entries" USING btree ("user_id","created_at","id");

CREATE INDEX "point_entries_by_course" ON "point_entries" USING btree ("course_id");

CREATE INDEX "live_events_by_age" ON "private"."live_events" USING brin ("created_at");

CREATE INDEX "conversation_readers_by_user" ON "conversation_readers" USING btree ("user_id");

CREATE INDEX "conversations_of_low" ON "conversations" USING btree ("low_id","last_message_at");

CREATE INDEX "conversations_of_high" ON "conversations" USING btree ("high_id","last_message_at");

CREATE INDEX "message_blocks_by_blocked" ON "message_blocks" USING btree ("blocked_id");

CREATE INDEX "message_reports_newest_first" ON "message_reports" USING btree ("status","created_at","id");

CREATE UNIQUE INDEX "messages_in_order" ON "messages" USING btree ("conversation_id","number");

CREATE INDEX "messages_sent_newest_first" ON "messages" USING btree ("sender_id","recipient_id","created_at","id");

CREATE INDEX "messages_received_newest_first" ON "messages" USING btree ("recipient_id","sender_id","created_at","id");

CREATE INDEX "messages_unread" ON "messages" USING btree ("recipient_id","sender_id") WHERE read_at is null;

CREATE INDEX "browser_errors_newest_first" ON "private"."browser_errors" USING btree ("last_seen_at");

CREATE INDEX "job_runs_of_job_newest_first" ON "private"."job_runs" USING btree ("name","id");

CREATE INDEX "job_runs_by_age" ON "private"."job_runs" USING btree ("finished_at");

CREATE INDEX "notification_failures_by_age" ON "private"."notification_failures" USING btree ("created_at");

CREATE INDEX "notification_preferences_by_course" ON "notification_preferences" USING btree ("course_id");

CREATE UNIQUE INDEX "notifications_once_per_dedupe_key" ON "notifications" USING btree ("user_id","dedupe_key") WHERE dedupe_key is not null;

CREATE INDEX "notifications_newest_first" ON "notifications" USING btree ("user_id","box","listed_at","id");

CREATE INDEX "notifications_unread_newest_first" ON "notifications" USING btree ("user_id","box","listed_at","id") WHERE read_at is null;

CREATE INDEX "notifications_by_waking" ON "notifications" USING btree ("snoozed_until") WHERE snoozed_until is not null;

CREATE INDEX "notifications_by_expiry" ON "notifications" USING btree ("expires_at") WHERE expires_at is not null;

CREATE INDEX "notifications_by_age" ON "notifications" USING btree ("listed_at");

CREATE INDEX "notifications_by_course" ON "notifications" USING btree ("course_id");

CREATE INDEX "notifications_of_announcement" ON "notifications" USING btree ("dedupe_key") WHERE type = 'announcement';

CREATE INDEX "payment_events_by_outcome" ON "private"."payment_events" USING btree ("received_at") WHERE outcome = 'unmatched';

CREATE INDEX "payments_of_user_newest_first" ON "payments" USING btree ("user_id","created_at","id");

CREATE INDEX "payments_of_course_newest_first" ON "payments" USING btree ("course_id","created_at","id");

CREATE INDEX "presence_leases_by_age" ON "private"."presence_leases" USING btree ("seen_at");

CREATE INDEX "student_presence_by_course" ON "student_presence" USING btree ("course_id","last_seen_at") WHERE status <> 'offline';

CREATE INDEX "student_presence_by_workshop" ON "student_presence" USING btree ("workshop_id","last_seen_at") WHERE status <> 'offline';

CREATE INDEX "student_presence_by_last_seen" ON "student_presence" USING btree ("last_seen_at") WHERE status <> 'offline';

CREATE INDEX "lesson_completions_by_lesson" ON "lesson_completions" USING btree ("lesson_id","completed_at");

CREATE INDEX "lesson_progress_by_lesson" ON "lesson_progress" USING btree ("lesson_id");

CREATE INDEX "module_completions_by_module" ON "module_completions" USING btree ("module_id","completed_at");

CREATE INDEX "quiz_attempts_by_lesson" ON "quiz_attempts" USING btree ("lesson_id","submitted_at");

CREATE INDEX "course_reviews_newest_first" ON "course_reviews" USING btree ("course_id","created_at","id");

CREATE INDEX "service_key_log_of_key_newest_first" ON "private"."service_key_log" USING btree ("key_id","id");

CREATE INDEX "service_key_log_by_age" ON "private"."service_key_log" USING brin ("created_at");

CREATE INDEX "service_keys_newest_first" ON "private"."service_keys" USING btree ("created_at","id");

CREATE INDEX "subscription_events_of_subscription" ON "private"."subscription_events" USING btree ("provider","reference","happened_at");

CREATE INDEX "subscriptions_of_user_newest_first" ON "subscriptions" USING btree ("user_id","started_at","id");

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
-- <<< access/reading.sql

-- >>> access/time-zone.sql
-- For a column `time_zone`: a zone that Postgres knows.
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
-- <<< access/time-zone.sql

-- >>> achievements/earn.sql
-- What can be earned. Declared as data: a `rule` names totals, and how much of each it takes;
-- `rankAtMost` is a place on the global leaderboard, `amongAtLeast` how many must be on it.
insert into public.achievements (key, title, description, icon, points, rule)
values
  ('first_lesson', 'First step', 'Finish your first lesson.', 'footprints', 5, '{"lessonsCompleted": 1}'),
  ('first_course', 'From start to finish', 'Finish a whole course.', 'graduation-cap', 25, '{"coursesCompleted": 1}'),
  ('five_courses', 'Well read', 'Finish five courses.', 'library', 100, '{"coursesCompleted": 5}'),
  ('seven_day_streak', 'Seven days running', 'Learn on seven days in a row.', 'flame', 50, '{"streakDays": 7}'),
  ('top_ten', 'Among the first ten', 'Reach the first ten of the leaderboard.', 'trophy', 50, '{"rankAtMost": 10, "amongAtLeast": 20}'),
  ('helpful_answer', 'A helping hand', 'Have an answer of yours marked as helpful.', 'hand-helping', 10, '{"helpfulAnswers": 1}'),
  ('ten_helpful_answers', 'Pillar of the class', 'Have ten answers of yours marked as helpful.', 'heart-handshake', 50, '{"helpfulAnswers": 10}')
on conflict (key) do update
set
  title = excluded.title,
  description = excluded.description,
  icon = excluded.icon,
  points = excluded.points,
  rule = excluded.rule;

-- Gives a student what their totals have earned, each once, with its points, and publishes
-- `achievement.earned` for each. Gives `{ achievements: [{ key, title, description, icon, points,
-- earnedAt }], points }`, the last in tenths. The caller notifies.
create or replace function private.earn_achievements(student uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  totals jsonb;
  achievements jsonb;
begin
  select jsonb_build_object(
    'lessonsCompleted', lessons_completed,
    'coursesCompleted', courses_completed,
    'streakDays', current_streak_days,
    'helpfulAnswers', helpful_answers
  )
  into totals
  from public.learning_stats where user_id = student;
  with new as (
    insert into public.user_achievements (user_id, achievement_key)
    select student, declared.key
    from public.achievements as declared
    where declared.rule <> '{}'
      and not exists (
        select 1 from public.user_achievements as had
        where had.user_id = student and had.achievement_key = declared.key
      )
      -- All that the rule names; a name that isn't known is never satisfied.
      and not exists (
        select 1
        from jsonb_each_text(declared.rule) as wanted (name, least)
        where not case wanted.name
          when 'rankAtMost' then private.is_among_first(student, wanted.least::integer)
          when 'amongAtLeast' then private.has_ranked_students(wanted.least::integer)
          else coalesce((totals ->> wanted.name)::integer >= wanted.least::integer, false)
        end
      )
    on conflict do nothing
    returning achievement_key, earned_at
  )
  select jsonb_agg(
    jsonb_build_object(
      'key', declared.key,
      'title', declared.title,
      'description', declared.description,
      'icon', declared.icon,
      'points', declared.points,
      'earnedAt', private.iso_time(new.earned_at)
    )
    order by declared.points, declared.key
  )
  into achievements
  from new
  join public.achievements as declared on declared.key = new.achievement_key;
  if achievements is null then
    return '{"achievements": [], "points": 0}';
  end if;
  perform private.publish(
    'user:' || student, 'achievement.earned', jsonb_build_object('achievement', achievement)
  )
  from jsonb_array_elements(achievements) as achievement;
  return jsonb_build_object(
    'achievements', achievements,
    'points', private.award_points(student, (
      select jsonb_agg(jsonb_build_object(
        'reason', 'achievement',
        'subject', achievement ->> 'key',
        'tenths', (achievement ->> 'points')::integer * 10
      ))
      from jsonb_array_elements(achievements) as achievement
    ))
  );
end;
$$;

-- Counts answers of somebody's that were marked as helpful (or, with -1, no longer are), and gives
-- what that earns. For the discussions. Locks the person's totals.
create or replace function private.count_helpful_answers(person uuid, change integer) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  earned jsonb;
begin
  insert into public.learning_stats as stats (user_id, helpful_answers)
  values (person, greatest(change, 0))
  on conflict (user_id) do update
  set helpful_answers = greatest(stats.helpful_answers + change, 0);
  earned := private.earn_achievements(person);
  if earned -> 'achievements' <> '[]' then
    perform private.tell_achievements(person, null, earned -> 'achievements');
  end if;
end;
$$;
-- <<< achievements/earn.sql

-- >>> achievements/helpful.sql
-- Which answers helped: a student's message that the staff has endorsed, or made its thread's answer,
-- while it stands. Kept in `thread_messages.is_helpful`, judged under the lock of the message's row, so
-- that whatever happens at once, each message counts once for its sender, and stops counting once.
create or replace function private.judge_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  new.is_helpful := new.deleted_at is null
    and new.sender_id is not null
    and (new.endorsed_by is not null or thread.answer_id is not distinct from new.id)
    and not private.is_course_staff(thread.course_id, new.sender_id);
  return new;
end;
$$;

create or replace trigger judge_helpful
before update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row execute function private.judge_helpful();

-- Counts it for its sender, with what that earns, in the same transaction.
create or replace function private.count_helpful() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.count_helpful_answers(new.sender_id, case when new.is_helpful then 1 else -1 end);
  return null;
end;
$$;

create or replace trigger count_helpful
after update of endorsed_by, deleted_at, is_helpful on public.thread_messages
for each row
when (old.is_helpful <> new.is_helpful and new.sender_id is not null)
execute function private.count_helpful();

-- A thread has another answer, or none any more: both messages are judged again, one after the other
-- in the order of their ids.
create or replace function private.after_answer_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  message uuid;
begin
  for message in
    select id from unnest(array[old.answer_id, new.answer_id]) as id where id is not null order by id
  loop
    update public.thread_messages set is_helpful = is_helpful where id = message;
  end loop;
  return null;
end;
$$;

create or replace trigger after_answer_change
after update of answer_id on public.discussion_threads
for each row
when (old.answer_id is distinct from new.answer_id)
execute function private.after_answer_change();
-- <<< achievements/helpful.sql

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
when (current_setting('homeroom.telling', true) is distinct from 'by hand'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_student_activity();

-- Writes what students did into the feeds of the courses, tells it there, and notifies every
-- instructor of each. The four arrays hold one happening per place; `sentence` has two places: the
-- student's name and the course's title. Where `enrolled_at` is given, the students hear of their
-- enrollment, too, on all their devices. All in one statement, with lookups by key rather than joins:
-- for the one happening of an everyday transaction, starting a statement costs more than what it does.
create or replace function private.tell_instructors(
  kind text,
  activity text,
  title text,
  sentence text,
  entity_type text,
  students uuid[],
  course_ids uuid[],
  entities uuid[],
  details jsonb[],
  enrolled_at timestamptz[] default null
)
returns void
language plpgsql
as $$
declare
  welcomes text;
  events text;
  intents text;
  setting text := set_config('homeroom.telling', 'by hand', true);
begin
  with happened as materialized (
    select
      gen_random_uuid() as id,
      happening.*,
      (
        select private.display_name(first_name, last_name) from public.users
        where users.id = happening.student
      ) as student_name,
      (
        select courses.title from public.courses
        where courses.id = happening.course
      ) as course_title
    from unnest(students, course_ids, entities, details, enrolled_at)
      as happening (student, course, entity, detail, enrollment)
  ), recorded as (
    insert into public.student_activity (id, user_id, course_id, activity_type, data, created_at)
    select id, student, course, activity, detail, now() from happened
  )
  select
    string_agg(
      json_build_object(
        'topic', 'user:' || student,
        'event', 'enrollment.created',
        'payload', json_build_object(
          'courseId', course,
          'courseTitle', course_title,
          'enrolledAt', private.iso_time(enrollment)
        )
      )::text,
      ','
    ) filter (where enrollment is not null),
    string_agg(
      json_build_object(
        'topic', 'course:' || course || ':staff',
        'event', 'activity.created',
        'payload', json_build_object(
          'activity', json_build_object(
            'id', id,
            'type', activity,
            'userId', student,
            'studentName', student_name,
            'createdAt', private.iso_time(now()),
            'data', detail
          )
        )
      )::text,
      ','
    ),
    string_agg(
      (
        select string_agg(
          json_build_object(
            'user_id', instructors.user_id,
            'type', kind,
            'title', tell_instructors.title,
            'message', format(sentence, student_name, course_title),
            'course_id', course,
            'related_entity_type', entity_type,
            'related_entity_id', entity,
            'data', detail || jsonb_build_object(
              'course_id', course,
              'course_title', course_title,
              'student_id', student,
              'student_name', student_name
            )
          )::text,
          ','
        )
        from public.course_instructors as instructors
        where instructors.course_id = course and instructors.user_id <> student
      ),
      ','
    )
  into welcomes, events, intents
  from happened;
  setting := set_config('homeroom.telling', '', true);
  setting := private.queue_live('homeroom.events', concat_ws(',', welcomes, events));
  setting := private.queue_live('homeroom.notifications', intents);
end;
$$;
-- <<< activity/activity.sql

-- >>> activity/moves.sql
-- What moves the figures of a course without being an activity of a student's (stats.sql): told to
-- the staff as differences.
create or replace function private.tell_stats(course uuid, delta jsonb) returns void
language plpgsql
as $$
begin
  if course is not null then
    perform private.publish(private.staff_topic(course), 'stats.changed', delta);
  end if;
end;
$$;

create or replace function private.after_enrollment_erased() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_stats(course_id, jsonb_build_object(
    'enrolled', -count(*), 'completed', -count(*) filter (where status = 'completed')
  ))
  from erased where status <> 'cancelled'
  group by course_id;
  return null;
end;
$$;

create or replace trigger after_enrollment_erased
after delete on public.enrollments
referencing old table as erased
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_enrollment_erased();

create or replace function private.after_review_changed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'ratingCount', -1, 'ratingSum', -old.rating
    ));
  else
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'ratingSum', new.rating - old.rating
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_review_changed
after update of rating on public.course_reviews
for each row
when (new.rating <> old.rating and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

create or replace trigger after_review_removed
after delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_review_changed();

-- A payment given back, or removed; and one that counts without being told as an activity.
create or replace function private.after_payment_moved() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.status = 'succeeded' then
    perform private.tell_stats(old.course_id, jsonb_build_object(
      'currency', old.currency, 'cents', -old.amount_cents
    ));
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.status = 'succeeded'
    and (old.status in ('succeeded', 'refunded') or new.user_id is null)) then
    perform private.tell_stats(new.course_id, jsonb_build_object(
      'currency', new.currency, 'cents', new.amount_cents
    ));
  end if;
  return null;
end;
$$;

create or replace trigger after_payment_moved
after update of status, amount_cents, currency, course_id on public.payments
for each row
when ((old.status, old.amount_cents, old.currency, old.course_id)
    is distinct from (new.status, new.amount_cents, new.currency, new.course_id)
  and 'succeeded' in (old.status, new.status)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_of_nobody
after insert on public.payments
for each row
when (new.status = 'succeeded' and new.user_id is null
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

create or replace trigger after_payment_removed
after delete on public.payments
for each row
when (old.status = 'succeeded' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_payment_moved();

-- A thread that a student opens is a question, for the feed of the course.
create or replace function private.after_question() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select
    created_by, course_id, 'asked', jsonb_build_object('thread_id', id, 'thread_title', title)
  from asked
  where created_by is not null and not private.is_course_staff(course_id, created_by);
  return null;
end;
$$;

create or replace trigger after_question
after insert on public.discussion_threads
referencing new table as asked
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_question();
-- <<< activity/moves.sql

-- >>> activity/stats.sql
-- The figures of courses (`course_stats`). Nothing is counted where it happens: whatever moves a
-- figure is told on the staff's topic, with a number and in the order of commits, so a job that
-- reads those events has counted each exactly once, and no enrollment waits for the row of its
-- course. What isn't counted yet is added when the figures are asked for, so they are exact at any
-- moment. Imported history (`homeroom.quiet`) is told nowhere: call `private.recount_courses` after it.

-- The topic of a course's staff.
create or replace function private.staff_topic(course uuid) returns text
language sql immutable
as $$
  select 'course:' || course::text || ':staff';
$$;

-- What events of a staff topic do to the figures of its course, from one number to another; `missing`
-- says that some are beyond retention, and that only counting anew helps.
create or replace function private.stats_moves(
  course uuid,
  after bigint,
  through bigint,
  out enrolled bigint,
  out completed bigint,
  out rating_count bigint,
  out rating_sum bigint,
  out revenue jsonb,
  out missing boolean
)
language plpgsql stable
as $$
begin
  with event as (
    select
      live_events.event as name,
      case live_events.event
        when 'activity.created' then payload -> 'activity'
        when 'stats.changed' then payload
      end as told
    from private.live_events
    where topic = private.staff_topic(course) and seq > after and seq <= through
  ), move as (
    select
      told ->> 'type' as type,
      told -> 'data' as data,
      case when name = 'stats.changed' then told end as delta
    from event
  ), money as (
    select currency, sum(cents) as cents
    from (
      select data ->> 'currency' as currency, (data ->> 'amount_cents')::bigint as cents
      from move where type = 'paid'
      union all
      select delta ->> 'currency', (delta ->> 'cents')::bigint
      from move where delta ? 'cents'
    ) as payment
    group by currency
  )
  select
    count(*) filter (where type = 'enrolled') + coalesce(sum((delta ->> 'enrolled')::bigint), 0),
    count(*) filter (where type = 'completed_course')
      + coalesce(sum((delta ->> 'completed')::bigint), 0),
    count(*) filter (where type = 'reviewed')
      + coalesce(sum((delta ->> 'ratingCount')::bigint), 0),
    coalesce(sum((data ->> 'rating')::bigint) filter (where type = 'reviewed'), 0)
      + coalesce(sum((delta ->> 'ratingSum')::bigint), 0),
    coalesce((select jsonb_object_agg(currency, cents) from money), '{}'),
    count(*) < through - after
  into enrolled, completed, rating_count, rating_sum, revenue, missing
  from move;
end;
$$;

-- Amounts by currency, added up; what comes to nothing is left out.
create or replace function private.add_money(one jsonb, other jsonb) returns jsonb
language sql immutable
as $$
  select coalesce(jsonb_object_agg(currency, cents), '{}')
  from (
    select key as currency, sum(value::bigint) as cents
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as part
    group by key
    having sum(value::bigint) <> 0
  ) as total;
$$;

-- The figures of courses counted from the rows themselves, all in one snapshot.
create or replace function private.count_courses(course_ids uuid[])
returns setof public.course_stats
language plpgsql stable
as $$
begin
  return query
  select
    course.id,
    students.total::integer,
    students.completed::integer,
    reviews.number::integer,
    reviews.total::integer,
    (case when reviews.number > 0 then round(reviews.total::numeric / reviews.number, 2) end)::numeric(3, 2),
    private.online_students(course.id),
    coalesce(money.revenue, '{}'),
    private.live_cursor(private.staff_topic(course.id)),
    now(),
    now()
  from public.courses as course
  cross join lateral (
    select count(*) as total, count(*) filter (where status = 'completed') as completed
    from public.enrollments
    where course_id = course.id and status <> 'cancelled'
  ) as students
  cross join lateral (
    select count(*) as number, coalesce(sum(rating), 0) as total
    from public.course_reviews where course_id = course.id
  ) as reviews
  cross join lateral (
    select jsonb_object_agg(currency, cents) as revenue
    from (
      select currency, sum(amount_cents) as cents
      from public.payments
      where course_id = course.id and status = 'succeeded'
      group by currency
      having sum(amount_cents) <> 0
    ) as by_currency
  ) as money
  where course.id = any (course_ids);
end;
$$;

-- How many students of a course are in it now.
create or replace function private.online_students(course uuid) returns integer
language sql stable
as $$
  select count(*)::integer
  from private.presence_leases as lease
  where topic = 'course:' || course::text and exists (
    select 1 from public.enrollments
    where user_id = lease.user_id and course_id = course and status <> 'cancelled'
  );
$$;

-- The figures as they are at this moment: what is counted, and the events since.
create or replace function private.stats_now(course_ids uuid[])
returns setof public.course_stats
language plpgsql stable
as $$
begin
  return query
  select
    kept.course_id,
    (kept.total_enrollments + moves.enrolled)::integer,
    (kept.completed_count + moves.completed)::integer,
    (kept.rating_count + moves.rating_count)::integer,
    (kept.rating_sum + moves.rating_sum)::integer,
    (case
      when kept.rating_count + moves.rating_count > 0
        then round((kept.rating_sum + moves.rating_sum)::numeric / (kept.rating_count + moves.rating_count), 2)
    end)::numeric(3, 2),
    kept.online_students,
    private.add_money(kept.revenue, moves.revenue),
    head.seq,
    kept.hours_counted_at,
    kept.updated_at
  from public.course_stats as kept
  cross join lateral (
    select greatest(kept.counted_seq, private.live_cursor(private.staff_topic(kept.course_id))) as seq
  ) as head
  cross join lateral private.stats_moves(kept.course_id, kept.counted_seq, head.seq) as moves
  where kept.course_id = any (course_ids) and not moves.missing
  union all
  -- New, or not counted for longer than events are kept.
  select counted.*
  from private.count_courses(array(
    select id from unnest(course_ids) as id
    where not exists (
      select 1 from public.course_stats as kept
      cross join lateral private.stats_moves(
        id, kept.counted_seq, greatest(kept.counted_seq, private.live_cursor(private.staff_topic(id)))
      ) as moves
      where kept.course_id = id and not moves.missing
    )
  )) as counted;
end;
$$;

-- The figures as JSON, for the API and for events.
create or replace function private.stats_json(stats public.course_stats) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseId', stats.course_id,
    'totalEnrollments', stats.total_enrollments,
    'completedCount', stats.completed_count,
    'ratingCount', stats.rating_count,
    'ratingSum', stats.rating_sum,
    'averageRating', stats.average_rating,
    'onlineStudents', stats.online_students,
    'revenue', stats.revenue
  );
$$;

-- The figures of those of the named courses that the caller teaches.
create or replace function public.course_stats_live(course_ids uuid[]) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_agg(private.stats_json(stats) order by stats.course_id)
    from private.stats_now(array(
      select id from unnest(course_ids) as id where id in (select private.taught_course_ids())
    )) as stats
  ), '[]');
end;
$$;
grant execute on function public.course_stats_live(uuid[]) to authenticated;

-- Counts courses from their rows, and their hours too: after an import, and when figures differ.
create or replace function private.recount_courses(course_ids uuid[] default null) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  wanted uuid[] := coalesce(course_ids, array(select id from public.courses));
  recounted integer;
begin
  insert into public.course_stats as stats (
    course_id, total_enrollments, completed_count, rating_count, rating_sum, online_students,
    revenue, counted_seq
  )
  select
    course_id, total_enrollments, completed_count, rating_count, rating_sum, online_students,
    revenue, counted_seq
  from private.count_courses(wanted)
  on conflict (course_id) do update
  set
    total_enrollments = excluded.total_enrollments,
    completed_count = excluded.completed_count,
    rating_count = excluded.rating_count,
    rating_sum = excluded.rating_sum,
    online_students = excluded.online_students,
    revenue = excluded.revenue,
    counted_seq = excluded.counted_seq
  -- Somebody else's count that is newer stays.
  where stats.counted_seq <= excluded.counted_seq;
  get diagnostics recounted = row_count;
  delete from public.course_activity_hours where course_id = any (wanted);
  perform private.count_hours(wanted, '-infinity');
  return recounted;
end;
$$;

-- Counts the activity of courses by quarter of an hour, from the hour of a moment on.
create or replace function private.count_hours(course_ids uuid[], since timestamptz) returns void
language plpgsql
as $$
begin
  insert into public.course_activity_hours as counted (
    course_id, activity_type, hour, quarter, currency, count, amount
  )
  select
    course_id,
    activity_type,
    date_trunc('hour', created_at, 'UTC'),
    extract(minute from created_at at time zone 'UTC')::integer / 15,
    case activity_type when 'paid' then coalesce(data ->> 'currency', '') else '' end,
    count(*),
    coalesce(sum(case activity_type
      when 'paid' then (data ->> 'amount_cents')::bigint
      when 'reviewed' then (data ->> 'rating')::bigint
    end), 0)
  from public.student_activity
  where course_id = any (course_ids)
    and created_at >= case when since = '-infinity' then since else date_trunc('hour', since, 'UTC') end
  group by 1, 2, 3, 4, 5
  on conflict (course_id, activity_type, hour, quarter, currency) do update
  set count = excluded.count, amount = excluded.amount
  where (counted.count, counted.amount) is distinct from (excluded.count, excluded.amount);
end;
$$;

-- Counts what has happened since, in the courses in which something has, and tells their
-- instructors, each on their own topic: at most once in two seconds, however much it is. Gives the
-- number of courses. Run every two seconds; what runs at the same time leaves the others' courses.
create or replace function private.count_course_stats() returns integer
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  moved uuid[];
  behind uuid[];
  online uuid[];
begin
  perform private.recount_courses(fresh.ids)
  from (
    select array_agg(id) as ids from public.courses
    where not exists (select 1 from public.course_stats where course_id = id)
  ) as fresh
  where fresh.ids is not null;
  select array_agg(course_id) into moved
  from (
    select stats.course_id
    from public.course_stats as stats
    left join private.live_topics as head on head.topic = private.staff_topic(stats.course_id)
    where (head.seq > stats.counted_seq and exists (
        select 1 from private.live_events
        where topic = head.topic and seq > stats.counted_seq and event <> 'stats.online'
      ))
      or stats.online_students <> private.online_students(stats.course_id)
    order by stats.course_id
    for no key update of stats skip locked
  ) as locked;
  if moved is null then
    return 0;
  end if;
  select array_agg(stats.course_id) into behind
  from public.course_stats as stats
  cross join lateral private.stats_moves(
    stats.course_id,
    stats.counted_seq,
    greatest(stats.counted_seq, private.live_cursor(private.staff_topic(stats.course_id)))
  ) as moves
  where stats.course_id = any (moved) and moves.missing;
  perform private.recount_courses(behind) where behind is not null;
  select array_agg(course_id) into online
  from public.course_stats
  where course_id = any (moved) and online_students <> private.online_students(course_id);
  update public.course_stats as stats
  set
    total_enrollments = fresh.total_enrollments,
    completed_count = fresh.completed_count,
    rating_count = fresh.rating_count,
    rating_sum = fresh.rating_sum,
    revenue = fresh.revenue,
    counted_seq = fresh.counted_seq,
    online_students = private.online_students(stats.course_id)
  from private.stats_now(moved) as fresh
  where stats.course_id = fresh.course_id;
  -- After the figures: what is in them is there to be counted by now.
  perform private.count_hours(array[course_id], hours_counted_at - interval '1 minute')
  from public.course_stats where course_id = any (moved);
  update public.course_stats set hours_counted_at = now() where course_id = any (moved);
  perform private.publish(
    private.staff_topic(course_id),
    'stats.online',
    jsonb_build_object('onlineStudents', online_students)
  )
  from public.course_stats where course_id = any (online);
  perform private.publish(
    'user:' || teaching.user_id,
    'course_stats.changed',
    jsonb_build_object('stats', private.stats_json(stats))
  )
  from public.course_stats as stats
  join public.course_instructors as teaching using (course_id)
  where stats.course_id = any (moved);
  return cardinality(moved);
end;
$$;

-- Where the figures differ from what the rows say, at this moment; none, as it should be.
-- (`online_students` is up to two seconds late by design, and set anew each time.)
create or replace function private.check_course_stats()
returns table (course_id uuid, figure text, kept text, counted text)
language plpgsql stable
as $$
begin
  return query
  select stats.course_id, both_ways.figure, both_ways.kept, both_ways.counted
  from private.stats_now(array(select course_stats.course_id from public.course_stats)) as stats
  join private.count_courses(array(select course_stats.course_id from public.course_stats)) as rows
    on rows.course_id = stats.course_id
  cross join lateral (values
    ('total_enrollments', stats.total_enrollments::text, rows.total_enrollments::text),
    ('completed_count', stats.completed_count::text, rows.completed_count::text),
    ('rating_count', stats.rating_count::text, rows.rating_count::text),
    ('average_rating', stats.average_rating::text, rows.average_rating::text),
    ('revenue', stats.revenue::text, rows.revenue::text)
  ) as both_ways (figure, kept, counted)
  where both_ways.kept is distinct from both_ways.counted;
end;
$$;

-- Checks the figures, says what differs, and mends it. Gives how many differed. Run daily.
create or replace function private.mend_course_stats() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  difference record;
  wrong uuid[] := '{}';
  differences integer := 0;
begin
  for difference in select * from private.check_course_stats() loop
    raise warning 'course_stats of % had % of %, counted are %',
      difference.course_id, difference.kept, difference.figure, difference.counted;
    wrong := wrong || difference.course_id;
    differences := differences + 1;
  end loop;
  if differences > 0 then
    perform private.recount_courses(array(select distinct id from unnest(wrong) as id));
  end if;
  return differences;
end;
$$;
-- <<< activity/stats.sql

-- >>> announcements/send.sql
-- Writes a draft of the caller's, or changes one that isn't sent yet, for courses that they teach;
-- the id is the caller's, so the same again changes nothing. A moment schedules it; without one it
-- is a draft. Raises ANNOUNCEMENT_NOT_FOUND, ANNOUNCEMENT_SENT, COURSE_NOT_FOUND.
create or replace function public.save_announcement(
  id uuid,
  title text,
  content text,
  course_ids uuid[],
  scheduled_at timestamptz default null
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  author uuid := auth.uid();
  known public.announcements;
begin
  if cardinality(course_ids) = 0 or exists (
    select 1 from unnest(course_ids) as course
    where course not in (select private.taught_course_ids())
  ) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.announcements (id, author_id, title, content)
  values (save_announcement.id, author, save_announcement.title, save_announcement.content)
  on conflict on constraint announcements_pkey do nothing;
  select * into known from public.announcements
  where announcements.id = save_announcement.id for update;
  if known.author_id is distinct from author then
    raise exception 'ANNOUNCEMENT_NOT_FOUND' using errcode = 'P0002';
  end if;
  if known.status = 'sent' then
    raise exception 'ANNOUNCEMENT_SENT' using errcode = 'P0001';
  end if;
  update public.announcements
  set
    title = save_announcement.title,
    content = save_announcement.content,
    scheduled_at = save_announcement.scheduled_at,
    status = case when save_announcement.scheduled_at is null then 'draft' else 'scheduled' end
  where announcements.id = save_announcement.id;
  delete from public.announcement_courses where announcement_id = save_announcement.id;
  insert into public.announcement_courses (announcement_id, course_id)
  select distinct save_announcement.id, course from unnest(course_ids) as course;
end;
$$;
grant execute on function public.save_announcement(uuid, text, text, uuid[], timestamptz)
to authenticated;

-- Removes an announcement of the caller's that isn't sent yet; false where there is none.
create or replace function public.remove_announcement(id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.announcements
  where announcements.id = remove_announcement.id
    and author_id = auth.uid() and status <> 'sent';
  return found;
end;
$$;
grant execute on function public.remove_announcement(uuid) to authenticated;

-- Sends an announcement that the caller has locked: a notification for each student, however many
-- of its courses they take, their events and what Realtime is told, three writes of many rows. It
-- doesn't go through the queue of `publish`, whose JSON would be a hundred times what is told.
-- Locks the recipients' topics in the order of their names until the transaction ends: call it in a
-- transaction that does nothing else. Gives how many were told.
create or replace function private.write_announcement(announcement public.announcements)
returns integer
language plpgsql
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  moment timestamptz := clock_timestamp();
  told integer;
  setting text := set_config('homeroom.telling', 'by hand', true);
begin
  with recipient as (
    select distinct on (enrollment.user_id)
      enrollment.user_id, course.id as course_id, course.title as course_title
    from public.announcement_courses as target
    join public.courses as course on course.id = target.course_id
    join public.enrollments as enrollment
      on enrollment.course_id = target.course_id and enrollment.status <> 'cancelled'
    left join public.notification_preferences as general
      on general.user_id = enrollment.user_id and general.type = 'announcement'
      and general.channel = 'app' and general.course_id is null
    left join public.notification_preferences as own
      on own.user_id = enrollment.user_id and own.type = 'announcement'
      and own.channel = 'app' and own.course_id = target.course_id
    where target.announcement_id = announcement.id
      and coalesce(own.enabled, general.enabled, true)
    order by enrollment.user_id, course.title, course.id
  ), written as (
    insert into public.notifications (
      user_id, type, title, message, data, course_id, related_entity_type, related_entity_id,
      dedupe_key, created_at
    )
    select
      user_id, 'announcement', announcement.title, announcement.content,
      jsonb_build_object('course_id', course_id, 'course_title', course_title),
      course_id, 'announcement', announcement.id, 'announcement:' || announcement.id, moment
    from recipient
    on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
    returning notifications.*
  ), head as (
    insert into private.live_topics as head (topic, seq)
    select 'user:' || user_id, 1 from written order by ('user:' || user_id) collate "C"
    on conflict (topic) do update set seq = head.seq + 1
    returning topic, seq, epoch
  ), event as materialized (
    select
      gen_random_uuid() as id, head.topic, head.seq, head.epoch,
      jsonb_build_object(
        'notification', private.notification_json(written.*::public.notifications),
        'unreadDelta', 1
      ) as payload
    from written
    join head on head.topic = 'user:' || written.user_id
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, 'notification.created', payload, moment from event
  ), sent as (
    insert into realtime.messages (id, topic, extension, event, payload, private)
    select
      id, private.channel_of(topic, epoch), 'broadcast', 'notification.created',
      jsonb_build_object('id', id, 'seq', seq, 'at', private.epoch_ms(moment), 'data', payload),
      true
    from event
  )
  select count(*) into told from written;
  setting := set_config('homeroom.telling', '', true);
  update public.announcements
  set status = 'sent', sent_at = moment, scheduled_at = null, recipient_count = told
  where announcements.id = announcement.id;
  return told;
end;
$$;

-- Sends an announcement of the caller's now. One that was sent stays sent: gives how many were told.
create or replace function public.send_announcement(id uuid) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  announcement public.announcements;
begin
  select * into announcement from public.announcements
  where announcements.id = send_announcement.id and author_id = auth.uid()
  for update;
  if not found then
    raise exception 'ANNOUNCEMENT_NOT_FOUND' using errcode = 'P0002';
  end if;
  if announcement.status = 'sent' then
    return announcement.recipient_count;
  end if;
  -- Rights that ended since it was written count.
  delete from public.announcement_courses
  where announcement_id = announcement.id
    and course_id not in (select private.taught_course_ids());
  return private.write_announcement(announcement);
end;
$$;
grant execute on function public.send_announcement(uuid) to authenticated;

-- Sends the next announcement that is due, exactly once, to those of its courses that its author
-- still teaches. One a call, since it locks its recipients' topics. Run every ten seconds.
create or replace function private.send_due_announcement() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  announcement public.announcements;
begin
  select * into announcement from public.announcements
  where status = 'scheduled' and scheduled_at <= now()
  order by scheduled_at, id
  limit 1
  for update skip locked;
  if not found then
    return 0;
  end if;
  delete from public.announcement_courses
  where announcement_id = announcement.id
    and (announcement.author_id is null
      or not private.is_course_staff(course_id, announcement.author_id));
  return private.write_announcement(announcement);
end;
$$;

-- How many have read an announcement of the caller's.
create or replace function public.announcement_reads(announcement_ids uuid[])
returns table (announcement_id uuid, read_count integer)
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select announcement.id, (
    select count(*)::integer from public.notifications
    where type = 'announcement'
      and dedupe_key = 'announcement:' || announcement.id
      and read_at is not null
  )
  from public.announcements as announcement
  where announcement.id = any (announcement_ids) and announcement.author_id = auth.uid();
end;
$$;
grant execute on function public.announcement_reads(uuid[]) to authenticated;
-- <<< announcements/send.sql

-- >>> attendance/calendar.sql
-- A workshop as somebody's calendar shows it; the caller has checked that they may see it. Without a
-- place yet it may come about, with one given back it doesn't; to its staff it is sure.
create or replace function private.calendar_event(workshop public.workshops, person uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
  is_staff boolean := exists (
    select 1 from public.course_instructors
    where course_id = workshop.course_id and user_id = person
  );
  has_place boolean;
begin
  select * into registration from public.workshop_registrations
  where workshop_id = workshop.id and user_id = person;
  has_place := is_staff or coalesce(registration.status in ('registered', 'checked_in'), false);
  return jsonb_build_object(
    'id', workshop.id,
    'title', workshop.title,
    'description', workshop.description,
    'location', workshop.location,
    'meetingUrl', case when has_place then workshop.meeting_url end,
    'startsAt', private.iso_time(workshop.starts_at),
    'endsAt', private.iso_time(workshop.ends_at),
    'sequence', workshop.sequence + coalesce(registration.sequence, 0),
    'status', case
      when workshop.status = 'cancelled' then 'cancelled'
      when registration.status = 'cancelled' and not is_staff then 'cancelled'
      when has_place then 'confirmed'
      else 'tentative'
    end,
    'updatedAt', private.iso_time(greatest(workshop.updated_at, registration.updated_at))
  );
end;
$$;

-- One workshop for the caller's calendar; raises WORKSHOP_NOT_FOUND when they may not see it.
create or replace function private.own_calendar_event(workshop uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  select * into target from public.workshops
  where id = workshop and (is_open or private.is_course_member(course_id, auth.uid()));
  if not found then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  return private.calendar_event(target, auth.uid());
end;
$$;
grant execute on function private.own_calendar_event(uuid) to authenticated;

-- The secret of the caller's calendar; null while there is none.
create or replace function private.calendar_token() returns text
language sql stable security definer set search_path = ''
as $$
  select token from private.calendar_feeds where user_id = auth.uid();
$$;
grant execute on function private.calendar_token() to authenticated;

-- A new secret for the caller's calendar, of 244 random bits; with it the old one ends.
create or replace function private.renew_calendar_token() returns text
language sql security definer set search_path = ''
as $$
  insert into private.calendar_feeds (user_id, token)
  values (
    auth.uid(),
    encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex')
  )
  on conflict (user_id) do update set token = excluded.token, created_at = now()
  returning token;
$$;
grant execute on function private.renew_calendar_token() to authenticated;

-- Ends the address of the caller's calendar.
create or replace function private.remove_calendar_token() returns void
language sql security definer set search_path = ''
as $$
  delete from private.calendar_feeds where user_id = auth.uid();
$$;
grant execute on function private.remove_calendar_token() to authenticated;

-- The calendar that a secret opens, for whoever has it: what its owner registered for or teaches,
-- and may still see, from three months ago on. Null for a secret that isn't (any more), or whose
-- owner may not come in any more.
create or replace function public.calendar_feed(token text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  owner uuid;
begin
  select users.id into owner
  from private.calendar_feeds as feed
  join public.users on users.id = feed.user_id and users.is_active
  where feed.token = calendar_feed.token;
  if owner is null then
    return null;
  end if;
  return jsonb_build_object('items', coalesce((
    select jsonb_agg(private.calendar_event(workshop, owner) order by workshop.starts_at)
    from (
      select workshops.*
      from public.workshops
      where ends_at > now() - interval '90 days'
        and (
          course_id in (select course_id from public.course_instructors where user_id = owner)
          or id in (select workshop_id from public.workshop_registrations where user_id = owner)
          and (is_open or private.is_course_member(course_id, owner))
        )
      order by starts_at desc
      limit 1000
    ) as workshop
  ), '[]'));
end;
$$;
grant execute on function public.calendar_feed(text) to anon, authenticated;
-- <<< attendance/calendar.sql

-- >>> attendance/check-in.sql
grant select on public.attendance_log, public.workshop_presence to authenticated;

-- HMAC-SHA-256 (RFC 2104), of keys of at most 64 bytes: pgcrypto isn't everywhere in one schema.
create or replace function private.hmac_sha256(key bytea, message bytea) returns bytea
language plpgsql immutable
as $$
declare
  padded bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
  inner_key bytea := padded;
  outer_key bytea := padded;
begin
  for at in 0 .. 63 loop
    inner_key := set_byte(inner_key, at, get_byte(padded, at) # 54);
    outer_key := set_byte(outer_key, at, get_byte(padded, at) # 92);
  end loop;
  return sha256(outer_key || sha256(inner_key || message));
end;
$$;

-- A workshop's six digits at a moment: others every 30 seconds (RFC 4226's truncation, on SHA-256).
create or replace function private.workshop_code(workshop uuid, step bigint) returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  mac bytea := private.hmac_sha256(
    (select secret from private.workshop_secrets where workshop_id = workshop),
    int8send(step)
  );
  at integer := get_byte(mac, 31) & 15;
  number bigint := ((get_byte(mac, at) & 127)::bigint << 24)
    | (get_byte(mac, at + 1) << 16) | (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3);
begin
  return lpad((number % 1000000)::text, 6, '0');
end;
$$;

-- The 30 seconds that a moment is in.
create or replace function private.code_step(moment timestamptz) returns bigint
language sql immutable
as $$
  select floor(extract(epoch from moment) / 30)::bigint;
$$;

-- Each workshop has a secret of its own: 244 random bits.
create or replace function private.make_workshop_secret() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.workshop_secrets (workshop_id, secret)
  values (new.id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  return null;
end;
$$;

create or replace trigger make_workshop_secret
after insert on public.workshops
for each row execute function private.make_workshop_secret();

insert into private.workshop_secrets (workshop_id, secret)
select id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) from public.workshops
on conflict (workshop_id) do nothing;

-- Whether one can check in at a moment.
create or replace function private.is_check_in_open(workshop public.workshops, moment timestamptz)
returns boolean
language sql immutable
as $$
  select workshop.status <> 'cancelled'
    and moment >= workshop.starts_at - make_interval(mins => workshop.check_in_opens_minutes)
    and moment < workshop.ends_at;
$$;

-- The code to show now, and until when, for the workshop's staff, while one can check in: raises
-- CHECK_IN_CLOSED otherwise.
create or replace function private.current_workshop_code(workshop uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  target public.workshops := private.staffed_workshop(workshop);
begin
  if not private.is_check_in_open(target, moment) then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  return jsonb_build_object(
    'code', private.workshop_code(workshop, private.code_step(moment)),
    'validUntil', private.iso_time(to_timestamp((private.code_step(moment) + 1) * 30)),
    'now', private.iso_time(moment)
  );
end;
$$;
grant execute on function private.current_workshop_code(uuid) to authenticated;

-- A workshop whose staff the caller belongs to; raises WORKSHOP_NOT_FOUND otherwise.
create or replace function private.staffed_workshop(workshop uuid) returns public.workshops
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  select * into target from public.workshops
  where id = workshop and private.is_course_staff(course_id, auth.uid());
  if not found then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- What a row of the log is hashed over: a JSON array as Postgres writes it, so that no text can
-- pass for another field.
create or replace function private.attendance_hash(entry public.attendance_log) returns text
language sql stable set search_path = ''
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(
      entry.previous_hash, entry.workshop_id, entry.number, entry.user_id, entry.action,
      entry.method, private.iso_time(entry.happened_at), private.iso_time(entry.recorded_at),
      entry.actor_id, coalesce(entry.session_id, ''), entry.reason
    )::text,
    'utf8'
  )), 'hex');
$$;

-- Writes the next entry of a workshop's log. The caller has the workshop locked.
create or replace function private.log_attendance(
  workshop uuid,
  person uuid,
  action text,
  method text,
  happened_at timestamptz,
  reason text
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  entry public.attendance_log;
begin
  select number, hash into entry.number, entry.previous_hash
  from public.attendance_log
  where workshop_id = workshop
  order by number desc
  limit 1;
  entry.workshop_id := workshop;
  entry.number := coalesce(entry.number, 0) + 1;
  entry.previous_hash := coalesce(entry.previous_hash, '');
  entry.user_id := person;
  entry.action := log_attendance.action;
  entry.method := log_attendance.method;
  entry.happened_at := log_attendance.happened_at;
  entry.recorded_at := clock_timestamp();
  entry.actor_id := auth.uid();
  entry.session_id := left(auth.jwt() ->> 'session_id', 100);
  entry.reason := log_attendance.reason;
  entry.hash := private.attendance_hash(entry);
  insert into public.attendance_log values (entry.*);
end;
$$;

-- The log is only ever added to, by anybody.
create or replace function private.keep_attendance_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  raise exception 'The attendance log is never changed' using errcode = '55000';
end;
$$;

create or replace trigger keep_attendance_log
before update or delete on public.attendance_log
for each row execute function private.keep_attendance_log();

create or replace trigger keep_attendance_log_whole
before truncate on public.attendance_log
for each statement execute function private.keep_attendance_log();
revoke insert, update, delete on public.attendance_log from service_role;

-- Checks someone in, and logs it; checked in already, it stays so. The caller of this has the
-- workshop locked, and has decided that it may be.
create or replace function private.check_in(
  workshop public.workshops,
  person uuid,
  method text,
  happened_at timestamptz
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  select * into registration from public.workshop_registrations
  where workshop_id = workshop.id and user_id = person;
  if registration.status is distinct from 'checked_in' then
    insert into public.workshop_registrations
      (workshop_id, user_id, status, checked_in_at, method, is_late)
    values (
      workshop.id, person, 'checked_in', check_in.happened_at, check_in.method,
      check_in.happened_at > workshop.starts_at + make_interval(mins => workshop.late_after_minutes)
    )
    on conflict (workshop_id, user_id) do update
    set status = excluded.status, checked_in_at = excluded.checked_in_at,
      method = excluded.method, is_late = excluded.is_late
    returning * into registration;
    perform private.log_attendance(
      workshop.id, person, 'checked_in', check_in.method, check_in.happened_at, ''
    );
  end if;
  return private.registration_json(registration);
end;
$$;

-- An instructor sees someone who is there. Who has no place walked in. For the workshop's staff.
create or replace function private.check_in_by_hand(workshop uuid, person uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.staffed_workshop(workshop);
  is_registered boolean;
begin
  select * into target from public.workshops where id = workshop for no key update;
  if target.status = 'cancelled'
    or clock_timestamp() < target.starts_at - make_interval(mins => target.check_in_opens_minutes)
  then
    raise exception 'CHECK_IN_CLOSED' using errcode = '55000';
  end if;
  if not (target.is_open or private.is_course_member(target.course_id, person)) or not exists (
    select 1 from public.users where id = person and is_active
  ) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  is_registered := exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = person and status in ('registered', 'checked_in')
  );
  return private.check_in(
    target, person, case when is_registered then 'hand' else 'walk_in' end, clock_timestamp()
  );
end;
$$;
grant execute on function private.check_in_by_hand(uuid, uuid) to authenticated;

-- Takes a check-in back, for a reason. Who had a place has it again. For the workshop's staff.
create or replace function private.undo_check_in(workshop uuid, person uuid, reason text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
  how text;
begin
  perform private.staffed_workshop(workshop);
  perform from public.workshops where id = workshop for no key update;
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = person;
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    how := registration.method;
    update public.workshop_registrations
    set status = case when how = 'walk_in' then 'cancelled' else 'registered' end,
      checked_in_at = null, method = null, is_late = false
    where id = registration.id
    returning * into registration;
    perform private.log_attendance(
      workshop, person, 'undone', coalesce(how, 'hand'), clock_timestamp(), undo_check_in.reason
    );
  end if;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.undo_check_in(uuid, uuid, text) to authenticated;

-- The caller checks in with the code that they saw at a moment: now, or when the network was away.
-- The code of that moment has to be right, one step before or after it too; the moment has to lie
-- in the workshop's window and, so that nobody collects codes, the call within a day of its end.
-- Five wrong codes in ten minutes are all that anybody has. Gives `{ registration }` or
-- `{ refusal, retryAfterSeconds }`: raising would undo the count of what was wrong.
create or replace function private.check_in_by_code(workshop uuid, code text, seen_at timestamptz)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  moment timestamptz := clock_timestamp();
  step bigint := private.code_step(seen_at);
  wrong integer;
  first_wrong timestamptz;
begin
  if exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status = 'checked_in'
  ) then
    return jsonb_build_object(
      'registration', private.check_in(target, auth.uid(), 'code', seen_at)
    );
  end if;
  if not exists (
    select 1 from public.workshop_registrations
    where workshop_id = workshop and user_id = auth.uid() and status in ('registered', 'waitlisted')
  ) then
    return jsonb_build_object('refusal', 'REGISTRATION_NOT_FOUND');
  end if;
  if not private.is_check_in_open(target, seen_at)
    or seen_at > moment + interval '1 minute'
    or moment > target.ends_at + interval '1 day'
  then
    return jsonb_build_object('refusal', 'CHECK_IN_CLOSED');
  end if;
  select count(*), min(attempted_at) into wrong, first_wrong
  from private.check_in_attempts
  where workshop_id = workshop
    and user_id = auth.uid()
    and attempted_at > moment - interval '10 minutes';
  if wrong >= 5 then
    return jsonb_build_object(
      'refusal', 'TOO_MANY_REQUESTS',
      'retryAfterSeconds',
      ceil(extract(epoch from first_wrong + interval '10 minutes' - moment))
    );
  end if;
  if not exists (
    select 1 from generate_series(step - 1, step + 1) as near
    where private.workshop_code(workshop, near) = code
  ) then
    insert into private.check_in_attempts (workshop_id, user_id, attempted_at)
    values (workshop, auth.uid(), moment);
    return jsonb_build_object('refusal', 'CODE_WRONG');
  end if;
  return jsonb_build_object('registration', private.check_in(target, auth.uid(), 'code', seen_at));
end;
$$;
grant execute on function private.check_in_by_code(uuid, text, timestamptz) to authenticated;

-- Someone is there, as a device of theirs says: time since their last sign of life counts when it
-- was at most 90 seconds ago. Two devices at once are one interval, and so is a reconnect.
create or replace function private.seen_in_workshop(
  workshop uuid,
  person uuid,
  moment timestamptz
)
returns void
language sql security definer set search_path = ''
as $$
  insert into public.workshop_presence as earlier (workshop_id, user_id, seen, last_seen_at)
  select id, person, '{}', moment
  from public.workshops
  where id = workshop
    and moment between starts_at - make_interval(mins => check_in_opens_minutes) and ends_at
  on conflict (workshop_id, user_id) do update
  set
    seen = case
      when moment - earlier.last_seen_at between interval '0' and interval '90 seconds'
      then earlier.seen + tstzmultirange(tstzrange(earlier.last_seen_at, moment, '[]'))
      else earlier.seen
    end,
    last_seen_at = greatest(earlier.last_seen_at, moment);
$$;
-- <<< attendance/check-in.sql

-- >>> attendance/export.sql
-- A field of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is shown as
-- text, by an apostrophe. Of a hashed one that can be taken back (chain.ts does): the apostrophe is
-- also put before those that have one in that place.
create or replace function private.csv_field(field text, is_hashed boolean) returns text
language sql immutable
as $$
  select '"' || replace(
    case
      when field ~ (case when is_hashed then '^''*[=+\-@\t\r]' else '^[=+\-@\t\r]' end)
        then '''' || field
      else field
    end,
    '"', '""'
  ) || '"';
$$;

-- A workshop's log as a CSV file: what is hashed first, then the names as they are today. For the
-- workshop's staff. `packages/db/src/attendance/verify-export.ts` verifies it.
create or replace function private.attendance_export(workshop uuid) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.staffed_workshop(workshop);
  return 'previous_hash,workshop_id,number,user_id,action,method,happened_at,recorded_at,'
    || 'actor_id,session_id,reason,hash,name,actor_name' || e'\r\n'
    || coalesce((
      select string_agg(
        concat_ws(',',
          private.csv_field(entry.previous_hash, true),
          private.csv_field(entry.workshop_id::text, true),
          entry.number,
          private.csv_field(entry.user_id::text, true),
          private.csv_field(entry.action, true),
          private.csv_field(entry.method, true),
          private.csv_field(private.iso_time(entry.happened_at), true),
          private.csv_field(private.iso_time(entry.recorded_at), true),
          private.csv_field(entry.actor_id::text, true),
          private.csv_field(coalesce(entry.session_id, ''), true),
          private.csv_field(entry.reason, true),
          private.csv_field(entry.hash, true),
          private.csv_field(coalesce(private.person_json(entry.user_id) ->> 'name', ''), false),
          private.csv_field(coalesce(private.person_json(entry.actor_id) ->> 'name', ''), false)
        ) || e'\r\n',
        '' order by entry.number
      )
      from public.attendance_log as entry
      where entry.workshop_id = workshop
    ), '');
end;
$$;
grant execute on function private.attendance_export(uuid) to authenticated;
-- <<< attendance/export.sql

-- >>> attendance/json.sql
-- A workshop as the API and the events show it; the same to everybody who may see it. The address
-- of the meeting is for those who have a place, so it is not here.
create or replace function private.workshop_json(workshop public.workshops) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', workshop.id,
    'courseId', workshop.course_id,
    'title', workshop.title,
    'description', workshop.description,
    'location', workshop.location,
    'isOnline', workshop.meeting_url is not null,
    'startsAt', private.iso_time(workshop.starts_at),
    'endsAt', private.iso_time(workshop.ends_at),
    'timeZone', workshop.time_zone,
    'capacity', workshop.capacity,
    'isOpen', workshop.is_open,
    'checkInOpensMinutes', workshop.check_in_opens_minutes,
    'lateAfterMinutes', workshop.late_after_minutes,
    'status', workshop.status
  );
$$;

-- The same by its id: whoever asks has seen that they may. Users can't read whole rows, since the
-- address of the meeting has no grant.
create or replace function private.workshop_json_of(workshop uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.workshop_json(workshops) from public.workshops where id = workshop;
$$;
grant execute on function private.workshop_json_of(uuid) to authenticated;

-- How many have a place, are there, and wait. Exact, since whoever changes it has the workshop
-- locked; callable by all, since it names nobody.
create or replace function private.workshop_counts(workshop uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'registered', count(*) filter (where status in ('registered', 'checked_in')),
    'checkedIn', count(*) filter (where status = 'checked_in'),
    'waitlisted', count(*) filter (where status = 'waitlisted')
  )
  from public.workshop_registrations
  where workshop_id = workshop;
$$;
grant execute on function private.workshop_counts(uuid) to authenticated;

-- For how many seconds someone was seen in a workshop, on all devices together.
create or replace function private.seconds_present(workshop uuid, person uuid) returns integer
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select sum(extract(epoch from upper(span) - lower(span)))::integer
    from public.workshop_presence, unnest(seen) as span
    where workshop_id = workshop and user_id = person
  ), 0);
$$;
grant execute on function private.seconds_present(uuid, uuid) to authenticated;

-- Someone's registration, as they and the staff see it.
create or replace function private.registration_json(registration public.workshop_registrations)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'workshopId', registration.workshop_id,
    'person', private.person_json(registration.user_id),
    'status', registration.status,
    'registeredAt', private.iso_time(registration.registered_at),
    'checkedInAt', private.iso_time(registration.checked_in_at),
    'method', registration.method,
    'isLate', registration.is_late
  );
$$;
grant execute on function private.registration_json(public.workshop_registrations)
to authenticated;
-- <<< attendance/json.sql

-- >>> attendance/places.sql
-- The address of the meeting is for those who have a place (`private.meeting_url`).
revoke select on public.workshops from authenticated;
grant select (
  id, course_id, title, description, location, starts_at, ends_at, time_zone, is_open,
  check_in_opens_minutes, late_after_minutes, capacity, status, sequence, created_by, created_at,
  updated_at
) on public.workshops to authenticated;
grant insert (
  course_id, title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity,
  is_open, check_in_opens_minutes, late_after_minutes, created_by
), update (
  title, description, location, meeting_url, starts_at, ends_at, time_zone, capacity, is_open,
  check_in_opens_minutes, late_after_minutes, status
) on public.workshops to authenticated;

create or replace trigger check_time_zone
before insert or update of time_zone on public.workshops
for each row execute function private.check_time_zone();

-- Never more places than there are, whoever writes: under the lock of the workshop, which all that
-- changes its registrations takes first, a place that isn't free becomes one on the waiting list.
-- Those who are there are there: checking in is not refused for want of a place.
create or replace function private.give_place() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  room integer;
  taken integer;
begin
  select capacity into room from public.workshops
  where id = new.workshop_id
  for no key update;
  if new.status = 'registered' and room is not null then
    select count(*) into taken
    from public.workshop_registrations
    where workshop_id = new.workshop_id
      and user_id <> new.user_id
      and status in ('registered', 'checked_in');
    if taken >= room then
      new.status := 'waitlisted';
    end if;
  end if;
  if tg_op = 'UPDATE' and new.status <> old.status then
    new.sequence := old.sequence + 1;
  end if;
  return new;
end;
$$;

create or replace trigger give_place
before insert or update of status on public.workshop_registrations
for each row execute function private.give_place();

-- Gives free places to those who wait, first come, first served, until it starts being over. They
-- are notified.
create or replace function private.fill_places(workshop uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
  free integer;
  given uuid[];
begin
  select * into target from public.workshops where id = workshop for no key update;
  if not found or target.status not in ('scheduled', 'live') then
    return;
  end if;
  select target.capacity - count(*) into free
  from public.workshop_registrations
  where workshop_id = workshop and status in ('registered', 'checked_in');
  with promoted as (
    update public.workshop_registrations
    set status = 'registered'
    where id in (
      select id from public.workshop_registrations
      where workshop_id = workshop and status = 'waitlisted'
      order by registered_at, id
      limit greatest(free, 0)
    )
    returning user_id
  )
  select array_agg(user_id) into given from promoted;
  if given is not null then
    perform private.tell_participants(
      target, given, 'success', 'You have a place', 'A place became free in "%s".', 'place'
    );
  end if;
end;
$$;

-- Notifies people of something about a workshop; `sentence` has one place, the workshop's title.
create or replace function private.tell_participants(
  workshop public.workshops,
  people uuid[],
  level text,
  title text,
  sentence text,
  about text
)
returns void
language sql set search_path = ''
as $$
  select private.notify(coalesce(jsonb_agg(jsonb_build_object(
    'user_id', person,
    'type', 'workshop',
    'level', level,
    'title', title,
    'message', format(sentence, workshop.title),
    'course_id', workshop.course_id,
    'related_entity_type', 'workshop',
    'related_entity_id', workshop.id,
    'data', jsonb_build_object(
      'course_id', workshop.course_id,
      'workshop_id', workshop.id,
      'workshop_title', workshop.title,
      'starts_at', private.iso_time(workshop.starts_at),
      'about', about
    )
  )), '[]'))
  from unnest(people) as person;
$$;

-- A registration is new or has changed: counts to all who are registered, the participant to the
-- staff, and to the person's own devices. A place that became free goes to the first who waits.
create or replace function private.after_registration() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations := coalesce(new, old);
  was_placed boolean := tg_op <> 'INSERT' and old.status in ('registered', 'checked_in');
  is_placed boolean := tg_op <> 'DELETE' and new.status in ('registered', 'checked_in');
  told jsonb;
begin
  if tg_op = 'DELETE' then
    registration.status := 'cancelled';
  end if;
  if not exists (select 1 from public.workshops where id = registration.workshop_id) then
    return null; -- it goes with its workshop
  end if;
  told := jsonb_build_object(
    'registration', private.registration_json(registration),
    'counts', private.workshop_counts(registration.workshop_id)
  );
  perform private.publish(
    'workshop:' || registration.workshop_id,
    'workshop.counted',
    jsonb_build_object('counts', told -> 'counts')
  );
  perform private.publish(
    format('workshop:%s:staff', registration.workshop_id), 'participant.changed', told
  );
  perform private.publish('user:' || registration.user_id, 'registration.changed', told);
  if was_placed and not is_placed then
    perform private.fill_places(registration.workshop_id);
  end if;
  return null;
end;
$$;

create or replace trigger after_registration
after insert or update of status, user_id, is_late or delete on public.workshop_registrations
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_registration();

-- When a workshop begins, in words and where it takes place: Tuesday 24 November, 18:00
-- (Europe/Stockholm).
create or replace function private.workshop_when(workshop public.workshops) returns text
language sql stable set search_path = ''
as $$
  select to_char(
    workshop.starts_at at time zone workshop.time_zone, 'FMDay FMDD FMMonth, HH24:MI'
  ) || ' (' || replace(workshop.time_zone, '_', ' ') || ')';
$$;

-- What changes with a workshop: its number for calendars, and its state, when it is moved to
-- another time.
create or replace function private.before_workshop_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if (new.title, new.description, new.location, new.meeting_url, new.starts_at, new.ends_at,
      new.status = 'cancelled')
    is distinct from
    (old.title, old.description, old.location, old.meeting_url, old.starts_at, old.ends_at,
      old.status = 'cancelled')
  then
    new.sequence := old.sequence + 1;
  end if;
  if (new.starts_at, new.ends_at) is distinct from (old.starts_at, old.ends_at)
    and new.status = old.status and new.status <> 'cancelled'
  then
    new.status := case
      when new.ends_at <= now() then 'ended'
      when new.starts_at <= now() then 'live'
      else 'scheduled'
    end;
  end if;
  return new;
end;
$$;

create or replace trigger before_workshop_change
before update on public.workshops
for each row execute function private.before_workshop_change();

-- A workshop is planned, changed or cancelled: those of its course hear of it, and those registered
-- are notified when it is cancelled or takes place at another time or place. More room goes to
-- those who wait.
create or replace function private.after_workshop_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('workshop', private.workshop_json(new));
  registered uuid[] := array(
    select user_id from public.workshop_registrations
    where workshop_id = new.id and status in ('registered', 'waitlisted', 'checked_in')
  );
begin
  perform private.publish(
    'course:' || new.course_id,
    case tg_op when 'INSERT' then 'workshop.planned' else 'workshop.changed' end,
    told
  );
  -- To everybody with a list of workshops, and therefore without a word about which: lists are asked
  -- for anew, by those who may see it.
  perform private.publish('school:workshops', 'workshops.changed', '{}');
  if tg_op = 'INSERT' then
    return null;
  end if;
  perform private.publish('workshop:' || new.id, 'workshop.changed', told);
  if new.status = 'cancelled' and old.status <> 'cancelled' then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop cancelled', '"%s" will not take place.', 'cancelled'
    );
  elsif new.status <> 'ended' and new.starts_at <> old.starts_at then
    perform private.tell_participants(
      new, registered, 'warning', 'Workshop moved',
      '"%s" is now on ' || private.workshop_when(new) || '.', 'moved'
    );
  elsif new.status <> 'ended'
    and (new.location, new.meeting_url) is distinct from (old.location, old.meeting_url)
  then
    perform private.tell_participants(
      new, registered, 'info', 'Workshop changed', '"%s" has a new place.', 'changed'
    );
  end if;
  if new.starts_at <> old.starts_at then
    -- Of the new time one is reminded again, but not of what has just been said.
    update public.workshop_registrations
    set reminders_sent = case
      when new.starts_at <= now() + interval '1 hour' then 2
      when new.starts_at <= now() + interval '1 day' then 1
      else 0
    end
    where workshop_id = new.id;
  end if;
  if new.capacity is distinct from old.capacity then
    perform private.fill_places(new.id);
  end if;
  return null;
end;
$$;

create or replace trigger after_workshop_change
after insert or update on public.workshops
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_change();

-- A workshop that the caller may see, locked against changes of its registrations; raises
-- WORKSHOP_NOT_FOUND otherwise.
create or replace function private.lock_visible_workshop(workshop uuid) returns public.workshops
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops;
begin
  if not exists (
    select 1 from public.workshops
    where id = workshop and (is_open or private.is_course_member(course_id, auth.uid()))
  ) then
    raise exception 'WORKSHOP_NOT_FOUND' using errcode = 'P0002';
  end if;
  select * into target from public.workshops where id = workshop for no key update;
  return target;
end;
$$;

-- Registers the caller, with a place or on the waiting list. Registered already, it stays so.
create or replace function private.register_for_workshop(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.workshops := private.lock_visible_workshop(workshop);
  registration public.workshop_registrations;
begin
  if target.status not in ('scheduled', 'live') or target.ends_at <= clock_timestamp() then
    raise exception 'WORKSHOP_OVER' using errcode = '55000';
  end if;
  insert into public.workshop_registrations as earlier (workshop_id, user_id, registered_at)
  values (workshop, auth.uid(), clock_timestamp())
  on conflict (workshop_id, user_id) do update
  set status = 'registered', registered_at = excluded.registered_at, reminders_sent = 0
  where earlier.status = 'cancelled';
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  return private.registration_json(registration);
end;
$$;
grant execute on function private.register_for_workshop(uuid) to authenticated;

-- Gives the caller's place back. Who has been checked in has been there.
create or replace function private.cancel_registration(workshop uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  registration public.workshop_registrations;
begin
  perform private.lock_visible_workshop(workshop);
  select * into registration from public.workshop_registrations
  where workshop_id = workshop and user_id = auth.uid();
  if not found then
    raise exception 'REGISTRATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  if registration.status = 'checked_in' then
    raise exception 'ALREADY_CHECKED_IN' using errcode = '55000';
  end if;
  update public.workshop_registrations
  set status = 'cancelled'
  where id = registration.id and status <> 'cancelled';
  select * into registration from public.workshop_registrations where id = registration.id;
  return private.registration_json(registration);
end;
$$;
grant execute on function private.cancel_registration(uuid) to authenticated;

-- Where a workshop's meeting is, for those who have a place and its staff; null for others.
create or replace function private.meeting_url(workshop uuid) returns text
language sql stable security definer set search_path = ''
as $$
  select workshops.meeting_url
  from public.workshops
  where id = workshop and (
    private.is_course_staff(course_id, auth.uid())
    or exists (
      select 1 from public.workshop_registrations
      where workshop_id = workshop
        and user_id = auth.uid()
        and status in ('registered', 'checked_in')
    )
  );
$$;
grant execute on function private.meeting_url(uuid) to authenticated;

-- Begins and ends workshops when their time has come, and reminds those who have a place a day and
-- an hour before. Run each minute; each reminder is sent once. Gives how many were sent.
create or replace function private.tend_workshops() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  reminder record;
  sent integer := 0;
begin
  update public.workshops
  set status = case when ends_at <= now() then 'ended' else 'live' end
  where (status = 'scheduled' and starts_at <= now()) or (status = 'live' and ends_at <= now());
  for reminder in
    with due as (
      select registration.id, workshop.id as workshop_id,
        case when workshop.starts_at <= now() + interval '1 hour' then 2 else 1 end as stage
      from public.workshops as workshop
      join public.workshop_registrations as registration
        on registration.workshop_id = workshop.id
      where workshop.status = 'scheduled'
        and workshop.starts_at between now() and now() + interval '1 day'
        and registration.status = 'registered'
        and registration.registered_at < workshop.starts_at - case
          when workshop.starts_at <= now() + interval '1 hour' then interval '1 hour'
          else interval '1 day'
        end
    ), reminded as (
      update public.workshop_registrations as registration
      set reminders_sent = due.stage
      from due
      where registration.id = due.id and registration.reminders_sent < due.stage
      returning registration.user_id, due.workshop_id, due.stage
    )
    select workshop_id, stage, array_agg(user_id) as people
    from reminded
    group by workshop_id, stage
  loop
    perform private.tell_participants(
      workshops, reminder.people, 'info',
      case reminder.stage when 1 then 'Workshop tomorrow' else 'Workshop within the hour' end,
      '"%s" begins on ' || private.workshop_when(workshops) || '.',
      'reminder'
    )
    from public.workshops where id = reminder.workshop_id;
    sent := sent + cardinality(reminder.people);
  end loop;
  return sent;
end;
$$;
-- <<< attendance/places.sql

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

-- Somebody has come: the feed of the course says so, each time that it is found to be so.
create or replace function private.after_workshop_check_in() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select new.user_id, course_id, 'checked_in', jsonb_build_object(
    'workshop_id', id, 'workshop_title', title
  )
  from public.workshops where id = new.workshop_id;
  return null;
end;
$$;

create or replace trigger after_workshop_check_in
after insert on public.workshop_registrations
for each row
when (new.status = 'checked_in' and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();

create or replace trigger after_workshop_check_in_later
after update of status on public.workshop_registrations
for each row
when (new.status = 'checked_in' and old.status <> 'checked_in'
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_workshop_check_in();
-- <<< attendance/triggers.sql

-- >>> catalog/authoring.sql
-- Raises COURSE_NOT_FOUND unless the caller belongs to the staff of a course.
create or replace function private.check_author(course uuid) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not private.is_service() and not private.is_course_staff(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
end;
$$;

-- The course of a lesson that its authors haven't removed. Raises LESSON_NOT_FOUND.
create or replace function private.course_of_lesson(lesson uuid) returns uuid
language plpgsql stable set search_path = ''
as $$
declare
  course uuid;
begin
  select modules.course_id into course
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  where lessons.id = lesson and lessons.removed_at is null;
  if not found or not private.is_course_staff(course, auth.uid()) then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  end if;
  return course;
end;
$$;

-- The drafts of a course, locked until the transaction ends.
create or replace function private.lock_drafts(course uuid) returns public.course_drafts
language plpgsql
as $$
declare
  drafts public.course_drafts;
begin
  insert into public.course_drafts (course_id) values (course) on conflict do nothing;
  select * into drafts from public.course_drafts where course_id = course for update;
  return drafts;
end;
$$;

-- Refuses a save that began from another state than the one that is there: DRAFT_CONFLICT.
create or replace function private.check_version(given integer, current integer) returns void
language plpgsql immutable
as $$
begin
  if given is distinct from current then
    raise exception 'DRAFT_CONFLICT'
      using errcode = 'P0001', detail = format('It is at version %s by now.', current);
  end if;
end;
$$;

-- Makes a draft of a course, taught by the caller. For instructors and administrators.
create or replace function public.create_course(title text, slug text) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if not exists (
    select 1 from public.users
    where id = auth.uid() and role in ('instructor', 'admin') and is_active
  ) then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  insert into public.courses (title, slug, created_by)
  values (create_course.title, create_course.slug, auth.uid())
  returning id into course;
  insert into public.course_instructors (course_id, user_id) values (course, auth.uid());
  return course;
end;
$$;
grant execute on function public.create_course(text, text) to authenticated;

-- Keeps what an author has changed in the course's own texts, until it is published. `base` is the
-- version they began from. Gives the new one.
create or replace function public.save_course_draft(course_id uuid, base integer, details jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  drafts public.course_drafts;
begin
  perform private.check_author(course_id);
  drafts := private.lock_drafts(course_id);
  perform private.check_version(base, drafts.details_version);
  update public.course_drafts as draft
  set
    details = save_course_draft.details,
    details_version = draft.details_version + 1,
    updated_by = auth.uid()
  where draft.course_id = save_course_draft.course_id;
  return drafts.details_version + 1;
end;
$$;
grant execute on function public.save_course_draft(uuid, integer, jsonb) to authenticated;

-- Keeps how an author has arranged a course: `[{ id, title, summary, lessonIds }]`, until it is
-- published. A module with a new id is made; what isn't named any more is taken out with the
-- publication. Raises OUTLINE_INVALID for a lesson twice, or of another course.
create or replace function public.save_outline(course_id uuid, base integer, outline jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  drafts public.course_drafts;
begin
  perform private.check_author(course_id);
  drafts := private.lock_drafts(course_id);
  perform private.check_version(base, drafts.outline_version);
  insert into public.modules (id, course_id, title, summary, is_published, position)
  select
    module.id, save_outline.course_id, module.title, coalesce(module.summary, ''), false,
    -- Below all that are there, until publication gives it its place.
    coalesce((
      select least(min(had.position), 0) from public.modules as had
      where had.course_id = save_outline.course_id
    ), 0) - row_number() over ()
  from jsonb_to_recordset(outline) as module (id uuid, title text, summary text)
  on conflict (id) do nothing;
  if exists (
    select 1
    from jsonb_to_recordset(outline) as module (id uuid)
    left join public.modules as known on known.id = module.id
    where known.course_id is distinct from save_outline.course_id
  ) or exists (
    select 1
    from jsonb_to_recordset(outline) as module ("lessonIds" jsonb)
    cross join jsonb_array_elements_text(module."lessonIds") as named (lesson_id)
    left join public.lessons as known on known.id::text = named.lesson_id
    left join public.modules as home on home.id = known.module_id
    where home.course_id is distinct from save_outline.course_id
  ) or (
    select count(*) <> count(distinct named.lesson_id)
    from jsonb_to_recordset(outline) as module ("lessonIds" jsonb)
    cross join jsonb_array_elements_text(module."lessonIds") as named (lesson_id)
  ) or (
    select count(*) <> count(distinct module.id)
    from jsonb_to_recordset(outline) as module (id uuid)
  ) then
    raise exception 'OUTLINE_INVALID' using errcode = '22023';
  end if;
  update public.course_drafts as draft
  set
    outline = save_outline.outline,
    outline_version = draft.outline_version + 1,
    updated_by = auth.uid()
  where draft.course_id = save_outline.course_id;
  return drafts.outline_version + 1;
end;
$$;
grant execute on function public.save_outline(uuid, integer, jsonb) to authenticated;

-- Makes a lesson at the end of a module, out of sight until it is published. Gives its id and the
-- outline's new version.
create or replace function public.create_lesson(module_id uuid, title text, kind text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course uuid;
  drafts public.course_drafts;
  lesson uuid;
begin
  select modules.course_id into course from public.modules where modules.id = module_id;
  if not found then
    raise exception 'MODULE_NOT_FOUND' using errcode = 'P0002';
  end if;
  perform private.check_author(course);
  drafts := private.lock_drafts(course);
  insert into public.lessons (module_id, title, kind, is_published, position)
  values (
    module_id, title, kind, false,
    (
      select coalesce(max(abs(had.position)), 0) + 1 from public.lessons as had
      where had.module_id = create_lesson.module_id
    )
  )
  returning id into lesson;
  update public.course_drafts as draft
  set
    outline = case
      when draft.outline is null then null
      else (
        select jsonb_agg(
          case
            when module ->> 'id' = create_lesson.module_id::text
              then jsonb_set(module, '{lessonIds}', (module -> 'lessonIds') || to_jsonb(lesson))
            else module
          end
          order by position
        )
        from jsonb_array_elements(draft.outline) with ordinality as listed (module, position)
      )
    end,
    outline_version = draft.outline_version + 1,
    updated_by = auth.uid()
  where draft.course_id = course;
  return jsonb_build_object('lessonId', lesson, 'outlineVersion', drafts.outline_version + 1);
end;
$$;
grant execute on function public.create_lesson(uuid, text, text) to authenticated;

-- Keeps what an author has changed in a lesson, until it is published; null takes it all back.
-- `base` is the version they began from. Gives the new one.
create or replace function public.save_lesson_draft(lesson_id uuid, base integer, edit jsonb)
returns integer
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course uuid := private.course_of_lesson(lesson_id);
  current integer;
begin
  if jsonb_typeof(edit -> 'quiz') = 'object' then
    perform private.check_quiz(edit -> 'quiz');
  end if;
  insert into public.lesson_drafts (lesson_id, course_id) values (lesson_id, course)
  on conflict do nothing;
  select draft.version into current from public.lesson_drafts as draft
  where draft.lesson_id = save_lesson_draft.lesson_id
  for update;
  perform private.check_version(base, current);
  update public.lesson_drafts as draft
  set edit = save_lesson_draft.edit, version = current + 1, updated_by = auth.uid()
  where draft.lesson_id = save_lesson_draft.lesson_id;
  -- Not what it says: who has the lesson open asks for it when they want it.
  perform private.publish(
    format('course:%s:staff', course),
    'lesson.drafted',
    jsonb_build_object(
      'lessonId', lesson_id, 'version', current + 1, 'by', private.person_json(auth.uid())
    )
  );
  return current + 1;
end;
$$;
grant execute on function public.save_lesson_draft(uuid, integer, jsonb) to authenticated;

-- A course as its authors see it: what is published with what they have changed over it.
create or replace function public.course_workbench(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_author(course_workbench.course_id);
  return (
    select jsonb_build_object(
      'courseId', course.id,
      'status', course.status,
      'version', course.version,
      'publishedAt', private.iso_time(course.published_at),
      'details', jsonb_build_object(
        'slug', course.slug,
        'title', course.title,
        'summary', course.summary,
        'description', course.description,
        'coverUrl', course.cover_url,
        'category', course.category,
        'level', course.level,
        'priceCents', course.price_cents,
        'currency', course.currency
      ) || coalesce(draft.details, '{}'),
      'detailsVersion', coalesce(draft.details_version, 0),
      'outline', coalesce(draft.outline, private.course_modules(course.id, true)),
      'outlineVersion', coalesce(draft.outline_version, 0),
      'hasDraft', draft.details is not null or draft.outline is not null or exists (
        select 1 from public.lesson_drafts as changed
        where changed.course_id = course.id and changed.edit is not null
      ),
      'lessons', coalesce((
        select jsonb_agg(
          private.lesson_card(lesson)
            || coalesce(
              changed.edit - 'content' - 'quiz' - 'attachments' - 'videoUrl' - 'captionsUrl', '{}'
            )
            || jsonb_build_object(
              'isPublished', coalesce((changed.edit ->> 'isPublished')::boolean, lesson.is_published),
              'hasDraft', changed.edit is not null
            )
        )
        from public.lessons as lesson
        join public.modules as home on home.id = lesson.module_id
        left join public.lesson_drafts as changed on changed.lesson_id = lesson.id
        where home.course_id = course.id and lesson.removed_at is null
      ), '[]')
    )
    from public.courses as course
    left join public.course_drafts as draft on draft.course_id = course.id
    where course.id = course_workbench.course_id
  );
end;
$$;
grant execute on function public.course_workbench(uuid) to authenticated;

-- A lesson as its authors see it: what is published with what they have changed over it.
create or replace function public.lesson_workbench(lesson_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  course uuid := private.course_of_lesson(lesson_workbench.lesson_id);
begin
  return (
    select jsonb_build_object(
      'lessonId', lesson.id,
      'courseId', course,
      'version', coalesce(draft.version, 0),
      'seq', private.live_cursor(format('course:%s:staff', course)),
      'hasDraft', draft.edit is not null,
      'updatedAt', private.iso_time(coalesce(draft.updated_at, lesson.updated_at)),
      'updatedBy', (
        select private.display_name(first_name, last_name) from public.users
        where id = draft.updated_by
      ),
      'fields', private.lesson_fields(lesson) || coalesce(draft.edit, '{}'),
      'published', case when lesson.is_published then private.lesson_fields(lesson) end
    )
    from public.lessons as lesson
    left join public.lesson_drafts as draft on draft.lesson_id = lesson.id
    where lesson.id = lesson_workbench.lesson_id
  );
end;
$$;
grant execute on function public.lesson_workbench(uuid) to authenticated;

-- All that authors write in a lesson.
create or replace function private.lesson_fields(lesson public.lessons) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'title', lesson.title,
    'kind', lesson.kind,
    'content', lesson.content,
    'videoUrl', lesson.video_url,
    'captionsUrl', lesson.captions_url,
    'attachments', lesson.attachments,
    'quiz', lesson.quiz,
    'durationMinutes', lesson.duration_minutes,
    'isPublished', lesson.is_published,
    'isRequired', lesson.is_required
  );
$$;

create or replace trigger touch_updated_at
before update on public.course_drafts
for each row execute function private.touch_updated_at();
create or replace trigger touch_updated_at
before update on public.lesson_drafts
for each row execute function private.touch_updated_at();
-- <<< catalog/authoring.sql

-- >>> catalog/catalogue.sql
-- A course, as a card shows it. Asks nothing about rights: those who call it do.
create or replace function private.course_card(course public.courses) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', course.id,
      'slug', course.slug,
      'title', course.title,
      'summary', course.summary,
      'coverUrl', course.cover_url,
      'level', course.level,
      'category', course.category,
      'priceCents', course.price_cents,
      'currency', course.currency,
      'lessonCount', count(*),
      'durationMinutes', coalesce(sum(lessons.duration_minutes), 0),
      'instructors', coalesce((
        select jsonb_agg(
          jsonb_build_object(
            'id', teacher.id,
            'name', private.display_name(teacher.first_name, teacher.last_name),
            'avatarUrl', teacher.avatar_url
          )
          order by teacher.first_name, teacher.last_name, teacher.id
        )
        from public.course_instructors as teaching
        join public.users as teacher on teacher.id = teaching.user_id
        where teaching.course_id = course.id
      ), '[]'),
      'isEnrolled', exists (
        select from public.enrollments
        where enrollments.course_id = course.id
          and enrollments.user_id = auth.uid()
          and enrollments.status <> 'cancelled'
      ),
      'createdAt', private.iso_time(course.created_at)
    )
    from public.modules
    join public.lessons on lessons.module_id = modules.id
    where modules.course_id = course.id and modules.is_published and lessons.is_published
  );
end;
$$;

-- The catalogue: the cards of the published courses, newest first, after the one that was created at
-- `after_time` with the id `after_id`. For everybody, also without an account: it says what may be
-- learned here and who teaches it, and nothing of those who learn. At most 101 at once.
create or replace function public.published_courses(
  after_time timestamptz default null,
  after_id uuid default null,
  page_size integer default 20
)
returns setof jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select private.course_card(course)
  from public.courses as course
  where course.status = 'published'
    and (after_time is null or (course.created_at, course.id) < (after_time, after_id))
  order by course.created_at desc, course.id desc
  limit least(page_size, 101);
end;
$$;
grant execute on function public.published_courses(timestamptz, uuid, integer)
to anon, authenticated;

-- A course by its id or its slug, with the titles of its modules and lessons: a published one for
-- everybody, also without an account; any other for those who take part in it. Lessons' content isn't
-- in it. Raises COURSE_NOT_FOUND.
create or replace function public.course_page(
  course_id uuid default null,
  course_slug text default null
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  course public.courses;
begin
  if course_page.course_id is null then
    select * into course from public.courses where slug = course_slug;
  else
    select * into course from public.courses where id = course_page.course_id;
  end if;
  if course.id is null or not (
    course.status = 'published' or private.is_course_member(course.id, auth.uid())
  ) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return private.course_card(course) || jsonb_build_object(
    'description', course.description,
    'version', course.version,
    'modules', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'id', modules.id,
          'title', modules.title,
          'summary', modules.summary,
          'lessons', coalesce((
            select jsonb_agg(
              private.lesson_card(lessons) - 'moduleId' order by lessons.position, lessons.id
            )
            from public.lessons
            where lessons.module_id = modules.id and lessons.is_published
          ), '[]')
        )
        order by modules.position, modules.id
      )
      from public.modules
      where modules.course_id = course.id and modules.is_published
    ), '[]')
  );
end;
$$;
grant execute on function public.course_page(uuid, text) to anon, authenticated;
-- <<< catalog/catalogue.sql

-- >>> catalog/outline.sql
-- A lesson, as the outline of its course shows it.
create or replace function private.lesson_card(lesson public.lessons) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', lesson.id,
    'moduleId', lesson.module_id,
    'title', lesson.title,
    'kind', lesson.kind,
    'durationMinutes', lesson.duration_minutes,
    'isRequired', lesson.is_required,
    'revision', lesson.revision
  );
$$;

-- The modules of a course with the ids of their lessons, all in their order. `drafts` brings those
-- that students don't see, as the rows have them.
create or replace function private.course_modules(course uuid, drafts boolean) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', modules.id,
        'title', modules.title,
        'summary', modules.summary,
        'lessonIds', coalesce((
          select jsonb_agg(lessons.id order by lessons.position)
          from public.lessons
          where lessons.module_id = modules.id
            and lessons.removed_at is null
            and (drafts or lessons.is_published)
        ), '[]')
      )
      order by modules.position
    ),
    '[]'
  )
  from public.modules
  where modules.course_id = course
    and modules.removed_at is null
    and (drafts or modules.is_published);
$$;

-- The lessons of a course that students see, by their ids.
create or replace function private.published_lessons(course uuid) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_object_agg(lessons.id, private.lesson_card(lessons)), '{}')
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course and modules.is_published and lessons.is_published;
$$;

-- What a student of a course sees of its content: `{ courseId, version, title, modules, lessons }`.
-- Raises COURSE_NOT_FOUND for those who take no part.
create or replace function public.course_content(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_course_member(course_content.course_id, auth.uid()) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return (
    select jsonb_build_object(
      'courseId', courses.id,
      'version', courses.version,
      'title', courses.title,
      'modules', private.course_modules(courses.id, false),
      'lessons', coalesce((
        select jsonb_agg(lesson.value)
        from jsonb_each(private.published_lessons(courses.id)) as lesson
      ), '[]')
    )
    from public.courses
    where courses.id = course_content.course_id
  );
end;
$$;
grant execute on function public.course_content(uuid) to authenticated;
-- <<< catalog/outline.sql

-- >>> catalog/publish.sql
-- Publishes what the authors of a course have changed: all of it in one transaction, as one version.
-- Students who are in the course see it at once (`content.published` on `course:<id>`); who hasn't
-- finished is counted against it from now on (requirements.sql). Gives `{ version, changes }`; when
-- nothing had changed, the version that there was. Locks the course.
create or replace function public.publish_course(course_id uuid, note text default '')
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  course public.courses;
  modules_before jsonb;
  lessons_before jsonb;
  counted_before text;
  counted_after text;
  changes jsonb;
begin
  perform private.check_author(course_id);
  perform private.hold_course(course_id, true);
  select * into course from public.courses where id = course_id for no key update;
  modules_before := private.course_modules(course_id, false);
  lessons_before := private.published_lessons(course_id);
  counted_before := private.counting_lessons(course_id);
  if course.status <> 'draft' then
    perform private.keep_lessons(course_id, course.version);
  end if;

  perform set_config('homeroom.publishing', 'on', true);
  perform private.apply_details(course_id);
  perform private.apply_lessons(course_id);
  perform private.apply_outline(course_id);
  perform set_config('homeroom.publishing', '', true);

  counted_after := private.counting_lessons(course_id);
  changes := private.content_changes(
    course, (select changed from public.courses as changed where changed.id = course_id),
    modules_before, private.course_modules(course_id, false),
    lessons_before, private.published_lessons(course_id)
  );
  if course.status <> 'published' then
    changes := '[{"kind": "course_published"}]'::jsonb || changes;
  end if;
  if changes = '[]' then
    return jsonb_build_object('version', course.version, 'changes', changes);
  end if;
  update public.courses as target
  set
    version = target.version + 1,
    status = 'published',
    published_at = coalesce(target.published_at, now())
  where target.id = course_id;
  insert into public.course_versions (course_id, version, note, changes, published_by)
  values (course_id, course.version + 1, coalesce(note, ''), changes, auth.uid());
  perform private.keep_lessons(course_id, course.version + 1);
  perform private.tell_published(course_id, modules_before, lessons_before);
  if counted_before is distinct from counted_after then
    perform private.reevaluate_course(course_id);
  end if;
  return jsonb_build_object('version', course.version + 1, 'changes', changes);
end;
$$;
grant execute on function public.publish_course(uuid, text) to authenticated, service_role;

-- The lessons that count, as one text to compare.
create or replace function private.counting_lessons(course uuid) returns text
language sql stable
as $$
  select string_agg(lesson_id || module_id::text, ',' order by lesson_id)
  from private.required_lessons(course);
$$;

-- Writes the draft of the course's own texts.
create or replace function private.apply_details(course uuid) returns void
language sql
as $$
  update public.courses
  set
    slug = coalesce(draft.details ->> 'slug', slug),
    title = coalesce(draft.details ->> 'title', title),
    summary = coalesce(draft.details ->> 'summary', summary),
    description = coalesce(draft.details ->> 'description', description),
    cover_url = case when draft.details ? 'coverUrl' then draft.details ->> 'coverUrl' else cover_url end,
    category = coalesce(draft.details ->> 'category', category),
    level = coalesce(draft.details ->> 'level', level),
    price_cents = coalesce((draft.details ->> 'priceCents')::integer, price_cents),
    currency = coalesce(draft.details ->> 'currency', currency)
  from public.course_drafts as draft
  where courses.id = course and draft.course_id = course and draft.details is not null;
  update public.course_drafts set details = null where course_id = course and details is not null;
$$;

-- Writes the drafts of the lessons. What a lesson teaches has a revision, which goes up.
create or replace function private.apply_lessons(course uuid) returns void
language sql
as $$
  update public.lessons as lesson
  set
    title = wanted.title,
    kind = wanted.kind,
    content = wanted.content,
    video_url = wanted."videoUrl",
    captions_url = wanted."captionsUrl",
    attachments = wanted.attachments,
    -- A JSON null is none.
    quiz = nullif(wanted.quiz, 'null'),
    duration_minutes = wanted."durationMinutes",
    is_published = wanted."isPublished",
    is_required = wanted."isRequired",
    revision = lesson.revision + (
      (lesson.title, lesson.kind, lesson.content, lesson.video_url, lesson.captions_url,
       lesson.attachments, lesson.quiz)
      is distinct from
      (wanted.title, wanted.kind, wanted.content, wanted."videoUrl", wanted."captionsUrl",
       wanted.attachments, nullif(wanted.quiz, 'null'))
    )::integer
  from public.lesson_drafts as draft
  cross join lateral (
    select private.lesson_fields(live) || draft.edit as fields
    from public.lessons as live where live.id = draft.lesson_id
  ) as merged
  cross join lateral jsonb_to_record(merged.fields) as wanted (
    title text, kind text, content text, "videoUrl" text, "captionsUrl" text, attachments jsonb,
    quiz jsonb, "durationMinutes" integer, "isPublished" boolean, "isRequired" boolean
  )
  where draft.course_id = course
    and draft.edit is not null
    and lesson.id = draft.lesson_id
    and lesson.removed_at is null;
  update public.lesson_drafts set edit = null where course_id = course and edit is not null;
$$;

-- Writes the draft of the outline: places, titles of modules, and what has been taken out.
create or replace function private.apply_outline(course uuid) returns void
language plpgsql
as $$
declare
  outline jsonb := (select drafts.outline from public.course_drafts as drafts where course_id = course);
begin
  outline := coalesce(outline, private.course_modules(course, true));
  -- Out of the way first: each place can be taken once only.
  update public.modules
  set position = -numbered.place
  from (
    select id, row_number() over (order by id) as place from public.modules where course_id = course
  ) as numbered
  where modules.id = numbered.id;
  update public.lessons
  set position = -numbered.place
  from (
    select lessons.id, row_number() over (order by lessons.id) as place
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where modules.course_id = course
  ) as numbered
  where lessons.id = numbered.id;

  update public.modules
  set
    position = wanted.place,
    title = wanted.module ->> 'title',
    summary = coalesce(wanted.module ->> 'summary', ''),
    is_published = true,
    removed_at = null
  from jsonb_array_elements(outline) with ordinality as wanted (module, place)
  where modules.id = (wanted.module ->> 'id')::uuid;
  update public.lessons
  set module_id = wanted.module_id, position = wanted.place
  from (
    select (module ->> 'id')::uuid as module_id, named.lesson_id, named.place
    from jsonb_array_elements(outline) as module
    cross join jsonb_array_elements_text(module -> 'lessonIds')
      with ordinality as named (lesson_id, place)
  ) as wanted
  where lessons.id = wanted.lesson_id::uuid and lessons.removed_at is null;

  update public.lessons
  set is_published = false, removed_at = now()
  from public.modules
  where modules.id = lessons.module_id
    and modules.course_id = course
    and lessons.position < 0
    and lessons.removed_at is null;
  update public.modules
  set is_published = false, removed_at = now()
  where course_id = course and position < 0 and removed_at is null;
  update public.course_drafts as drafts set outline = null where course_id = course;
end;
$$;

-- What has changed between two states of a course: `[{ kind, lessonId | moduleId, title }]`.
create or replace function private.content_changes(
  course_before public.courses,
  course_after public.courses,
  modules_before jsonb,
  modules_after jsonb,
  lessons_before jsonb,
  lessons_after jsonb
)
returns jsonb
language sql stable
as $$
  with lesson as (
    select
      coalesce(new.key, old.key) as id,
      old.value as old,
      new.value as new
    from jsonb_each(lessons_before) as old
    full join jsonb_each(lessons_after) as new on new.key = old.key
  ), module as (
    select coalesce(new.value, old.value) ->> 'id' as id, old.value as old, new.value as new
    from jsonb_array_elements(modules_before) as old
    full join jsonb_array_elements(modules_after) as new
      on new.value -> 'id' = old.value -> 'id'
  ), change as (
    select 1 as part, 'course_edited' as kind, null as subject, null as id, null as title
    where to_jsonb(course_before) - 'updated_at' <> to_jsonb(course_after) - 'updated_at'
    union all
    select 2, 'module_added', 'moduleId', id, new ->> 'title' from module where old is null
    union all
    select 3, 'module_removed', 'moduleId', id, old ->> 'title' from module where new is null
    union all
    select 4, 'module_edited', 'moduleId', id, new ->> 'title' from module
    where (old ->> 'title', old ->> 'summary') <> (new ->> 'title', new ->> 'summary')
    union all
    select 5, 'lesson_added', 'lessonId', id, new ->> 'title' from lesson where old is null
    union all
    select 6, 'lesson_removed', 'lessonId', id, old ->> 'title' from lesson where new is null
    union all
    select 7, 'lesson_edited', 'lessonId', id, new ->> 'title' from lesson
    where (old -> 'revision', old -> 'durationMinutes')
      <> (new -> 'revision', new -> 'durationMinutes')
    union all
    select
      8, case when (new ->> 'isRequired')::boolean then 'lesson_required' else 'lesson_optional' end,
      'lessonId', id, new ->> 'title'
    from lesson where old -> 'isRequired' <> new -> 'isRequired'
    union all
    select 9, 'lesson_moved', 'lessonId', id, new ->> 'title'
    from lesson where old -> 'moduleId' <> new -> 'moduleId'
    union all
    select 10, 'reordered', null, null, null
    where private.common_order(modules_before, modules_after)
      <> private.common_order(modules_after, modules_before)
  )
  select coalesce(
    jsonb_agg(
      jsonb_strip_nulls(
        jsonb_build_object('kind', kind, 'title', title)
          || case when subject is null then '{}' else jsonb_build_object(subject, id) end
      )
      order by part, title, id
    ),
    '[]'
  )
  from change;
$$;

-- The order of modules and lessons in one outline, as far as the other has them in the same module.
create or replace function private.common_order(outline jsonb, other jsonb) returns text
language sql stable
as $$
  select coalesce(string_agg(named.id, ',' order by listed.place, named.place), '')
  from jsonb_array_elements(outline) with ordinality as listed (module, place)
  cross join lateral (
    select module ->> 'id' as id, 0 as place
    union all
    select lesson, place
    from jsonb_array_elements_text(module -> 'lessonIds') with ordinality as lessons (lesson, place)
  ) as named
  where exists (
    select 1 from jsonb_array_elements(other) as there
    where there -> 'id' = listed.module -> 'id'
      and (named.place = 0 or there -> 'lessonIds' ? named.id)
  );
$$;

-- Tells those in a course what was published: the lessons that are new or another, and the outline
-- if it is another. `isWhole` false with null parts: too much for an event, load it.
create or replace function private.tell_published(
  course_id uuid,
  modules_before jsonb,
  lessons_before jsonb
)
returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  modules jsonb := private.course_modules(course_id, false);
  payload jsonb;
begin
  select jsonb_build_object(
    'courseId', courses.id,
    'version', courses.version,
    'title', courses.title,
    'note', published.note,
    'changes', published.changes,
    'publishedAt', private.iso_time(published.published_at),
    'modules', case when modules <> modules_before then modules end,
    'lessons', coalesce((
      select jsonb_agg(lesson.value)
      from jsonb_each(private.published_lessons(course_id)) as lesson
      where lesson.value is distinct from lessons_before -> lesson.key
    ), '[]')
  )
  into payload
  from public.courses
  join public.course_versions as published
    on published.course_id = courses.id and published.version = courses.version
  where courses.id = course_id;
  -- Realtime carries 256 kB at most on the smallest plans.
  if octet_length(payload::text) > 100000 then
    payload := payload || '{"changes": [], "modules": null, "lessons": null}';
  end if;
  perform private.publish('course:' || course_id, 'content.published', payload);
end;
$$;

-- Takes a course out of the catalogue, or puts it back. Who is enrolled keeps it.
create or replace function public.set_course_archived(course_id uuid, archived boolean)
returns text
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  status text;
begin
  perform private.check_author(course_id);
  update public.courses as course
  set status = case when archived then 'archived' else 'published' end
  where course.id = course_id and course.version > 0 and course.status <> 'draft'
  returning course.status into status;
  if not found then
    raise exception 'COURSE_NOT_PUBLISHED' using errcode = 'P0001';
  end if;
  return status;
end;
$$;
grant execute on function public.set_course_archived(uuid, boolean) to authenticated;
-- <<< catalog/publish.sql

-- >>> catalog/requirements.sql
-- The rules by which a course counts as done, for whoever changes them:
--
-- * What counts are the published, required lessons in published modules. Counts are compared, never
--   percentages. A course without any can't be finished; a module without any holds nobody up.
-- * Who hasn't finished is counted against the newest version, from the moment it is published.
--   A required lesson more, and the share goes down; nothing that was done is undone. One fewer
--   (removed, unpublished, made optional), and whoever has all the others finishes at that moment.
--   A lesson that moves keeps its completions.
-- * Who has finished, has finished: enrollment, certificate, points and version stay as they are.
-- * A module once done stays done.

-- The lessons that count.
create or replace function private.required_lessons(course uuid)
returns table (lesson_id uuid, module_id uuid)
language sql stable
as $$
  select lessons.id, lessons.module_id
  from public.modules
  join public.lessons on lessons.module_id = modules.id
  where modules.course_id = course
    and modules.is_published
    and lessons.is_published
    and lessons.is_required;
$$;

-- Holds a course as it is until the transaction ends: completions side by side with each other,
-- whoever changes what counts alone. In memory, so that a thousand students write to no common row.
create or replace function private.hold_course(course uuid, alone boolean) returns void
language plpgsql
as $$
declare
  key bigint := hashtextextended('course ' || course, 0);
begin
  if alone then
    perform pg_advisory_xact_lock(key);
  else
    perform pg_advisory_xact_lock_shared(key);
  end if;
end;
$$;

-- Counts every unfinished enrollment of a course anew, finishes those that have all there is, and
-- tells the students. For whatever changes which lessons count. Locks the course, its enrollments,
-- and the totals of those who finish, in the order of the students.
create or replace function private.reevaluate_course(course uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  student uuid;
  told jsonb;
begin
  perform private.hold_course(course, true);
  with done_modules as (
    insert into public.module_completions (user_id, module_id)
    select enrollments.user_id, required.module_id
    from public.enrollments
    join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.user_id, required.module_id
    having count(*) = count(done.lesson_id)
    on conflict do nothing
    returning user_id, module_id
  ), counted as (
    select enrollments.id, count(required.lesson_id) as required, count(done.lesson_id) as done
    from public.enrollments
    left join private.required_lessons(course) as required on true
    left join public.lesson_completions as done
      on done.user_id = enrollments.user_id and done.lesson_id = required.lesson_id
    where enrollments.course_id = course and enrollments.status = 'active'
    group by enrollments.id
  ), changed as (
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    from counted
    where enrollments.id = counted.id
    returning enrollments.user_id
  )
  select jsonb_object_agg(changed.user_id, coalesce(news.module_ids, '[]'))
  into told
  from changed
  left join (
    select user_id, jsonb_agg(module_id) as module_ids from done_modules group by user_id
  ) as news on news.user_id = changed.user_id;

  for student in
    select user_id from public.enrollments
    where course_id = course and status = 'active' and progress = 100
    order by user_id
  loop
    perform private.tell_course_finished(
      student, course, private.finish_course(student, course) || private.earn_achievements(student)
    );
  end loop;
  perform private.tell_reevaluated(course, told);
end;
$$;

-- Tells students how far they are after a new count, and the staff that there was one: `students` has
-- the modules that each of them has done by it, by their ids.
create or replace function private.tell_reevaluated(course uuid, students jsonb) returns void
language sql
as $$
  select private.publish('course:' || course || ':staff', 'roster.reevaluated', '{}')
  where students is not null;
  select private.queue_live('homeroom.events', string_agg(
    jsonb_build_object(
      'topic', 'user:' || enrollment.user_id,
      'event', 'progress.reevaluated',
      'payload', jsonb_build_object('courseId', course, 'completedModuleIds', told.value)
        || private.progress_json(
          enrollment, courses.version, private.count_course(enrollment.user_id, course, null)
        )
    )::text,
    ','
  ))
  from jsonb_each(students) as told
  join public.enrollments as enrollment
    on enrollment.user_id = told.key::uuid and enrollment.course_id = course
  join public.courses on courses.id = course;
$$;

-- A lesson moved, or counts now, or doesn't any more, whoever changed the row. (`publish_course`
-- changes many, and calls for one count after the last: `homeroom.publishing`.)
create or replace function private.after_lesson_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct modules.course_id
    from (
      select id, module_id, is_published and is_required as counts from before
      except
      select id, module_id, is_published and is_required from after
      union
      (
        select id, module_id, is_published and is_required from after
        except
        select id, module_id, is_published and is_required from before
      )
    ) as changed
    join public.modules on modules.id = changed.module_id
    order by modules.course_id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_change
after update on public.lessons
referencing old table as before new table as after
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_lesson_change();

-- Lessons that came or went altogether, and modules that did.
create or replace function private.after_outline_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
begin
  if current_setting('homeroom.publishing', true) = 'on' then
    return null;
  end if;
  for course in
    select distinct courses.id
    from changed
    left join public.modules on modules.id::text = to_jsonb(changed) ->> 'module_id'
    join public.courses
      on courses.id = coalesce((to_jsonb(changed) ->> 'course_id')::uuid, modules.course_id)
    -- A lesson that didn't count changes nothing by coming or going.
    where coalesce((to_jsonb(changed) ->> 'is_required')::boolean, true)
      and (changed.is_published or tg_op = 'UPDATE')
    order by courses.id
  loop
    perform private.reevaluate_course(course);
  end loop;
  return null;
end;
$$;

create or replace trigger after_lesson_insert
after insert on public.lessons
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_lesson_delete
after delete on public.lessons
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_update
after update on public.modules
referencing new table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();

create or replace trigger after_module_delete
after delete on public.modules
referencing old table as changed
for each statement
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_outline_change();
-- <<< catalog/requirements.sql

-- >>> catalog/versions.sql
-- Keeps what the lessons of a course teach, as of a version: of those that students see, the ones
-- that are another than was kept last. A publication calls it before and after it writes, so that
-- what was changed past it (an import, psql) is kept too.
create or replace function private.keep_lessons(course uuid, as_of integer) returns void
language sql
as $$
  insert into public.lesson_versions (lesson_id, course_id, version, fields)
  select lesson.id, course, as_of, present.fields
  from public.modules
  join public.lessons as lesson on lesson.module_id = modules.id
  cross join lateral (select private.lesson_fields(lesson) as fields) as present
  where modules.course_id = course
    and modules.is_published
    and lesson.is_published
    and present.fields is distinct from (
      select latest.fields from public.lesson_versions as latest
      where latest.lesson_id = lesson.id
      order by latest.version desc
      limit 1
    )
  on conflict (lesson_id, version) do update set fields = excluded.fields;
$$;
-- <<< catalog/versions.sql

-- >>> certificates/functions.sql
-- A certificate as its owner sees it, and as events tell it.
create or replace function private.certificate_json(certificate public.certificates) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', certificate.id,
    'courseId', certificate.course_id,
    'serialNumber', certificate.serial_number,
    'issuedAt', private.iso_time(certificate.issued_at),
    'revokedAt', private.iso_time(certificate.revoked_at),
    'revocationReason', certificate.revocation_reason
  );
$$;
grant execute on function private.certificate_json(public.certificates) to authenticated;

-- Says of a serial number whether we issued it, to whom and for what, and whether it still holds. For
-- everybody, also without an account: who has the number has been shown the certificate. `seq` is the
-- number of the newest event of its topic. Null for a number that isn't ours.
create or replace function public.verify_certificate(serial text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.certificate_json(certificate) - 'id' || jsonb_build_object(
    'isValid', certificate.revoked_at is null,
    'studentName', private.display_name(person.first_name, person.last_name),
    'courseTitle', course.title,
    'courseSlug', course.slug,
    'courseSummary', course.summary,
    'seq', private.live_cursor('certificate:' || certificate.serial_number),
    'instructors', coalesce((
      select jsonb_agg(private.display_name(teacher.first_name, teacher.last_name) order by teacher.id)
      from public.course_instructors as teaching
      join public.users as teacher on teacher.id = teaching.user_id
      where teaching.course_id = course.id
    ), '[]')
  )
  from public.certificates as certificate
  join public.users as person on person.id = certificate.user_id
  join public.courses as course on course.id = certificate.course_id
  where certificate.serial_number = upper(trim(serial));
$$;
grant execute on function public.verify_certificate(text) to anon, authenticated;

-- Takes a certificate back, with a reason that everybody may read, and the points that it gave. For
-- the staff of its course. A second time changes nothing. Tells its owner.
create or replace function public.revoke_certificate(certificate_id uuid, reason text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  certificate public.certificates;
begin
  select * into certificate from public.certificates where id = certificate_id for no key update;
  if not found or not (
    private.is_service() or private.is_course_staff(certificate.course_id, auth.uid())
  ) then
    raise exception 'CERTIFICATE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if certificate.revoked_at is not null then
    return private.certificate_json(certificate);
  end if;
  update public.certificates
  set revoked_at = now(), revocation_reason = reason
  where id = certificate_id
  returning * into certificate;
  update public.learning_stats
  set certificates_earned = certificates_earned - 1
  where user_id = certificate.user_id;
  perform private.award_points(certificate.user_id, jsonb_build_array(jsonb_build_object(
    'course', certificate.course_id,
    'reason', 'certificate_revoked',
    'subject', certificate.id,
    'tenths', -500
  )));
  perform private.publish(
    'user:' || certificate.user_id,
    'certificate.revoked',
    jsonb_build_object('certificate', private.certificate_json(certificate))
  );
  return private.certificate_json(certificate);
end;
$$;
grant execute on function public.revoke_certificate(uuid, text) to authenticated, service_role;

-- Tells of a certificate that was issued or taken back, whoever wrote the row: the staff of its
-- course, and who looks at its public page. (Its owner hears of it from who wrote it.)
create or replace function private.tell_certificate() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  told jsonb := jsonb_build_object('certificate', private.certificate_json(new));
begin
  perform private.publish(
    'course:' || new.course_id || ':staff',
    case when new.revoked_at is null then 'certificate.issued' else 'certificate.revoked' end,
    told || jsonb_build_object('userId', new.user_id)
  );
  if tg_op = 'UPDATE' then
    perform private.publish(
      'certificate:' || new.serial_number,
      'certificate.changed',
      jsonb_build_object('isValid', new.revoked_at is null)
        || jsonb_build_object('certificate', (told -> 'certificate') - 'id')
    );
  end if;
  return null;
end;
$$;

create or replace trigger tell_certificate_issued
after insert on public.certificates
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_certificate();

create or replace trigger tell_certificate_changed
after update of revoked_at, revocation_reason on public.certificates
for each row
when (
  (old.revoked_at, old.revocation_reason) is distinct from (new.revoked_at, new.revocation_reason)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_certificate();
-- <<< certificates/functions.sql

-- >>> delivery/digests.sql
-- Digests by e-mail, in two steps. A job makes those that are due: decided here, where the time
-- zones are, once for a user and a day whoever asks. The portals' servers, which can send mail, take
-- them one at a time: a lease keeps others away, so a server that dies while it sends loses nothing.
-- If it dies between the mail server's "taken" and our note of it, the mail goes out twice; both
-- carry the digest's id as Message-ID, by which mail programs show one.

-- The next moment after `after` at which a digest is due: at its hour, on a day (of the week) that
-- had none yet, where the user is. An hour that a change of the clock skips is taken as Postgres
-- does, an hour later; one that comes twice counts once, since the day does.
create or replace function private.next_digest_at(
  settings public.notification_settings,
  time_zone text,
  after timestamptz
)
returns timestamptz
language plpgsql stable set search_path = ''
as $$
declare
  day date := greatest((after at time zone time_zone)::date, settings.digest_period + 1);
  due timestamptz;
begin
  if settings.digest = 'off' then
    return null;
  end if;
  loop
    due := (day + make_time(settings.digest_hour, 0, 0)) at time zone time_zone;
    if due > after and (
      settings.digest = 'daily' or extract(isodow from day) = settings.digest_weekday
    ) then
      return due;
    end if;
    day := day + 1;
  end loop;
end;
$$;

-- Plans the next digest when someone changes theirs. One that is turned on tells what comes from
-- then on.
create or replace function private.plan_digest() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.digest_since := case when new.digest <> 'off' then coalesce(new.digest_since, now()) end;
  new.digest_due_at := private.next_digest_at(
    new, (select time_zone from public.users where id = new.user_id), now()
  );
  return new;
end;
$$;

create or replace trigger plan_digest
before insert or update of digest, digest_weekday, digest_hour on public.notification_settings
for each row execute function private.plan_digest();

-- Who moves to another time zone has their digest at the same hour there.
create or replace function private.move_digest() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.notification_settings set digest = digest
  where user_id = new.id and digest <> 'off';
  return null;
end;
$$;

create or replace trigger move_digest
after update of time_zone on public.users
for each row
when (old.time_zone is distinct from new.time_zone)
execute function private.move_digest();

-- Whether a type is told on a channel where nobody has said anything. By e-mail, what has a date
-- that one could miss, and the word of one's instructors.
create or replace function private.is_wanted_by_default(type text, channel text) returns boolean
language sql immutable
as $$
  select channel = 'app' or type in ('announcement', 'workshop', 'subscription');
$$;
grant execute on function private.is_wanted_by_default(text, text) to authenticated;

-- What a digest tells: what came in its time, isn't read, and is wanted by e-mail, newest first.
create or replace function private.digest_notifications(person uuid, since timestamptz, through timestamptz)
returns setof public.notifications
language plpgsql stable
as $$
begin
  return query
  select notification.*
  from public.notifications as notification
  where notification.user_id = person
    and notification.box = 'inbox'
    and notification.read_at is null
    and notification.listed_at >= since
    and notification.listed_at < through
    and (notification.expires_at is null or notification.expires_at > now())
    and coalesce(
      (
        select preference.enabled
        from public.notification_preferences as preference
        where preference.user_id = person
          and preference.type = notification.type
          and preference.channel = 'email'
          and (preference.course_id is null or preference.course_id = notification.course_id)
        order by preference.course_id
        limit 1
      ),
      private.is_wanted_by_default(notification.type, 'email')
    )
  order by notification.listed_at desc, notification.id desc;
end;
$$;

-- Makes the digests that are due, and plans the next of each; who has nothing to be told gets none.
-- A digest ends a minute ago: what was written by then is committed by now. Those that nobody has
-- sent for a day are given up: what they tell is in the portal anyway. Gives how many were made. Run
-- each minute.
create or replace function private.make_digests() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := now();
  ends timestamptz := moment - interval '1 minute';
  due record;
  own public.notification_settings;
  made integer := 0;
begin
  update private.notification_digests
  set status = 'failed', ended_at = moment, error = coalesce(error, 'Nobody sent it for a day')
  where status = 'queued' and created_at < moment - interval '1 day' and retry_at <= moment;
  delete from private.notification_digests where created_at < moment - interval '90 days';

  for due in
    select settings, users.time_zone
    from public.notification_settings as settings
    join public.users on users.id = settings.user_id
    where settings.digest_due_at <= moment
      and users.is_active
      and not private.is_quiet(settings, users.time_zone, moment)
    order by settings.digest_due_at
    limit 5000
    for no key update of settings skip locked
  loop
    own := due.settings;
    own.digest_period := (own.digest_due_at at time zone due.time_zone)::date;
    insert into private.notification_digests (user_id, period, since, through)
    select own.user_id, own.digest_period, own.digest_since, ends
    where exists (
      select 1
      from private.digest_notifications(own.user_id, own.digest_since, ends)
    )
    on conflict on constraint notification_digests_once_per_period do nothing;
    made := made + found::integer;
    update public.notification_settings
    set
      digest_period = own.digest_period,
      digest_since = greatest(own.digest_since, ends),
      digest_due_at = private.next_digest_at(own, due.time_zone, moment)
    where user_id = own.user_id;
  end loop;
  return made;
end;
$$;

-- Takes the next digest to send, for ten minutes, and gives what its mail needs; null where there is
-- none. Not in its reader's quiet hours. One that has nothing to tell any more, or that its reader has
-- turned off, is dropped. `items` are the newest twenty of `total`. For the portals' servers, as role
-- `postgres`, in a transaction of its own.
create or replace function private.claim_digest() returns jsonb
language plpgsql
as $$
declare
  taken record;
  items jsonb;
  total integer;
begin
  loop
    select
      digest.id, digest.user_id, digest.since, digest.through, digest.attempts,
      settings.digest as frequency, settings.digest_key,
      users.email, users.first_name, users.role, users.time_zone
    into taken
    from private.notification_digests as digest
    join public.users on users.id = digest.user_id
    join public.notification_settings as settings on settings.user_id = digest.user_id
    where digest.status = 'queued'
      and digest.retry_at <= now()
      and users.is_active
      and not private.is_quiet(settings, users.time_zone, now())
    order by digest.retry_at
    limit 1
    for no key update of digest skip locked;
    if not found then
      return null;
    end if;

    select
      count(*)::integer,
      jsonb_agg(private.notification_json(notification) order by position)
        filter (where position <= 20)
    into total, items
    from (
      select told::public.notifications as notification, row_number() over () as position
      from private.digest_notifications(taken.user_id, taken.since, taken.through) as told
      where taken.frequency <> 'off'
    ) as told;
    if total > 0 then
      update private.notification_digests
      set attempts = attempts + 1, retry_at = now() + interval '10 minutes'
      where id = taken.id;
      return jsonb_build_object(
        'id', taken.id,
        'email', taken.email,
        'firstName', taken.first_name,
        'role', taken.role,
        'timeZone', taken.time_zone,
        'frequency', taken.frequency,
        'key', taken.digest_key,
        'total', total,
        'items', items
      );
    end if;
    update private.notification_digests
    set status = 'dropped', ended_at = now()
    where id = taken.id;
  end loop;
end;
$$;

-- Notes how the sending of a digest ended: without a fault it is sent. One that failed is taken again
-- after 1, 4, 16 and 64 minutes, then never.
create or replace function private.end_digest(digest uuid, fault text default null) returns void
language sql
as $$
  update private.notification_digests
  set
    status = case
      when fault is null then 'sent'
      when attempts >= 5 then 'failed'
      else 'queued'
    end,
    ended_at = case when fault is null or attempts >= 5 then now() end,
    retry_at = now() + interval '1 minute' * 4 ^ (attempts - 1),
    error = left(fault, 1000)
  where id = digest and status = 'queued';
$$;

-- Turns off the digest whose mail this came in: the key is in its last line. False where it is nobody's.
create or replace function public.stop_digest(key uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update public.notification_settings set digest = 'off' where digest_key = key;
  return found;
end;
$$;
grant execute on function public.stop_digest(uuid) to anon, authenticated;
-- <<< delivery/digests.sql

-- >>> delivery/quiet-hours.sql
-- Whether it is quiet for someone at a moment, by the clock where they are. The end belongs to the
-- day, and a night to the day on which it begins. A clock that is set forward or back changes nothing: it is what the clock shows that counts.
create or replace function private.is_quiet(
  settings public.notification_settings,
  time_zone text,
  at timestamptz
)
returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  clock timestamp := at at time zone time_zone;
  is_over_midnight boolean := settings.quiet_from > settings.quiet_to;
  -- The day on which the quiet hours began that this moment would lie in.
  began date := clock::date - (is_over_midnight and clock::time < settings.quiet_to)::integer;
begin
  return settings.has_quiet_hours
    and extract(isodow from began)::smallint = any(settings.quiet_days)
    and case
      when is_over_midnight
      then clock::time >= settings.quiet_from or clock::time < settings.quiet_to
      else clock::time >= settings.quiet_from and clock::time < settings.quiet_to
    end;
end;
$$;

-- The first moment from `at` on at which it isn't quiet for someone.
create or replace function private.not_quiet_from(
  settings public.notification_settings,
  time_zone text,
  at timestamptz
)
returns timestamptz
language plpgsql stable set search_path = ''
as $$
declare
  clock timestamp := at at time zone time_zone;
  ends date := clock::date + (clock::time >= settings.quiet_to)::integer;
begin
  if not private.is_quiet(settings, time_zone, at) then
    return at;
  end if;
  return (ends + settings.quiet_to) at time zone time_zone;
end;
$$;

-- Quiet hours and digest of the caller, with when the next digest comes: not before quiet hours end.
create or replace function private.own_notification_settings() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  settings public.notification_settings;
  time_zone text;
begin
  select users.time_zone into time_zone from public.users where id = auth.uid();
  select * into settings from public.notification_settings where user_id = auth.uid();
  return jsonb_build_object(
    'timeZone', time_zone,
    'quietHours', jsonb_build_object(
      'isOn', coalesce(settings.has_quiet_hours, false),
      'from', left(coalesce(settings.quiet_from, '22:00')::text, 5),
      'to', left(coalesce(settings.quiet_to, '07:00')::text, 5),
      'days', to_jsonb(coalesce(settings.quiet_days, '{1,2,3,4,5,6,7}'))
    ),
    'digest', jsonb_build_object(
      'frequency', coalesce(settings.digest, 'off'),
      'weekday', coalesce(settings.digest_weekday, 1),
      'hour', coalesce(settings.digest_hour, 8)
    ),
    'nextDigestAt', private.iso_time(
      private.not_quiet_from(settings, time_zone, greatest(settings.digest_due_at, now()))
    )
  );
end;
$$;
grant execute on function private.own_notification_settings() to authenticated;

-- What is the user's to decide; when the next digest is due isn't.
grant insert (
  user_id, has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
), update (
  has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
), select (
  user_id, has_quiet_hours, quiet_from, quiet_to, quiet_days, digest, digest_weekday, digest_hour
)
on public.notification_settings to authenticated;
-- <<< delivery/quiet-hours.sql

-- >>> discussions/activity.sql
-- A thread has a new message: the list of its course is told within a second, together with what
-- else has happened there. Its caller has the thread locked.
create or replace function private.thread_is_due(thread uuid) returns void
language sql set search_path = ''
as $$
  insert into private.due_threads (thread_id) values (thread)
  on conflict (thread_id) do update set thread_id = excluded.thread_id;
$$;

-- Tells each course's list which of its threads have new messages, as one event. Run each second,
-- so that a course in which many write costs those who look at its list one event a second. Locks
-- the threads, before their rows here, as who writes does: so what is told is the newest there is,
-- and no change of a thread overtakes it. A thread that is being written in waits for the next
-- second. Gives how many courses were told.
create or replace function private.tell_threads() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  active record;
  told integer := 0;
begin
  for active in
    with locked as materialized (
      select thread.id, thread.course_id, thread
      from public.discussion_threads as thread
      where thread.id in (select thread_id from private.due_threads)
      for no key update skip locked
    ), taken as (
      delete from private.due_threads where thread_id in (select id from locked)
    )
    select course_id, jsonb_agg(private.thread_json(thread)) as threads
    from locked
    group by course_id
  loop
    perform private.publish(
      'course:' || active.course_id,
      'thread.activity',
      jsonb_build_object('threads', active.threads)
    );
    told := told + 1;
  end loop;
  return told;
end;
$$;
-- <<< discussions/activity.sql

-- >>> discussions/json.sql
-- A thread as the API and the events show it; the same to everybody.
create or replace function private.thread_json(thread public.discussion_threads) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', thread.id,
      'courseId', thread.course_id,
      'lessonId', thread.lesson_id,
      'title', thread.title,
      'createdBy', private.person_json(thread.created_by),
      'createdAt', private.iso_time(thread.created_at),
      'isPinned', thread.is_pinned,
      'isLocked', thread.is_locked,
      'isClosed', not thread.is_active,
      'slowModeSeconds', thread.slow_mode_seconds,
      'answerId', thread.answer_id,
      'lastNumber', thread.last_number,
      'lastMessageAt', private.iso_time(thread.last_message_at),
      'lastSender', private.person_json(thread.last_sender_id)
    )
  );
end;
$$;
grant execute on function private.thread_json(public.discussion_threads) to authenticated;

-- The first words of a Markdown text, for a line in a list: mentions as names, without code fences.
create or replace function private.excerpt(content text) returns text
language sql immutable
as $$
  select left(
    trim(regexp_replace(
      regexp_replace(content, '\[@?([^\]]*)\]\(mention:[^)]*\)', '@\1', 'g'),
      '[`\s]+', ' ', 'g'
    )),
    140
  );
$$;

-- A message as the API and the events show it: what belongs to it alone, and is the same to
-- everybody. Of a deleted one, that it was there.
create or replace function private.thread_message_json(message public.thread_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', message.id,
      'threadId', message.thread_id,
      'number', message.number,
      'sender', private.person_json(message.sender_id),
      'isByStaff', exists (
        select 1 from public.course_instructors
        where course_id = thread.course_id and user_id = message.sender_id
      ) or exists (
        select 1 from public.users where id = message.sender_id and role = 'admin' and is_active
      ),
      'content', message.content,
      'excerpt', private.excerpt(message.content),
      'parent', (
        select jsonb_build_object(
          'id', parent.id,
          'number', parent.number,
          'sender', private.person_json(parent.sender_id),
          'excerpt', private.excerpt(parent.content)
        )
        from public.thread_messages as parent
        where parent.id = message.parent_id
      ),
      'mentions', coalesce((
        select jsonb_agg(private.person_json(mentioned) order by position)
        from unnest(message.mentions) with ordinality as mention (mentioned, position)
      ), '[]'),
      'endorsedBy', private.person_json(message.endorsed_by),
      'createdAt', private.iso_time(message.created_at),
      'editedAt', private.iso_time(message.edited_at),
      'deletedAt', private.iso_time(message.deleted_at),
      'deletedBy', case
        when message.deleted_at is null then null
        when message.deleted_by is not distinct from message.sender_id then 'sender'
        else 'staff'
      end
    )
    from public.discussion_threads as thread
    where thread.id = message.thread_id
  );
end;
$$;
grant execute on function private.thread_message_json(public.thread_messages) to authenticated;

-- What others have put beside a message: how many replies, and the signs, with which are the
-- caller's. Events tell differences of it, since those add up whoever commits first.
create or replace function private.thread_message_surroundings(message uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'replyCount', (select count(*) from public.thread_messages where parent_id = message),
      'reactions', coalesce((
        select jsonb_agg(jsonb_build_object('emoji', emoji, 'count', count, 'isMine', is_mine))
        from (
          select emoji, count(*) as count, bool_or(user_id = (select auth.uid())) as is_mine
          from public.thread_message_reactions
          where message_id = message
          group by emoji
          order by emoji
        ) as signs
      ), '[]')
    )
  );
end;
$$;
grant execute on function private.thread_message_surroundings(uuid) to authenticated;

-- How far the caller has read in a thread, and how closely they follow it.
create or replace function private.thread_reader_json(reader public.thread_readers) returns jsonb
language sql immutable
as $$
  select jsonb_build_object(
    'threadId', reader.thread_id, 'readNumber', reader.read_number, 'level', reader.level
  );
$$;
grant execute on function private.thread_reader_json(public.thread_readers) to authenticated;
-- <<< discussions/json.sql

-- >>> discussions/messages.sql
-- What a member writes; number, mentions, moments and endorsement are the server's.
grant insert (id, thread_id, sender_id, parent_id, content), update (content)
on public.thread_messages to authenticated;
grant select on public.thread_message_revisions to authenticated;

-- The people a Markdown text names as `[@…](mention:<id>)`, who are in the course; at most twenty,
-- so that no message rings a whole class.
create or replace function private.mentioned_members(content text, course uuid) returns uuid[]
language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(person order by first_at), '{}')
  from (
    select found.parts[1]::uuid as person, min(found.position) as first_at
    from regexp_matches(
      content,
      '\(mention:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)',
      'g'
    ) with ordinality as found (parts, position)
    group by 1
    order by 2
    limit 20
  ) as named
  where private.is_course_member(course, person);
$$;

-- Raises why a member of the course may not write in a thread now. Its staff may write in locked
-- ones.
create or replace function private.check_may_write(thread public.discussion_threads, person uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not thread.is_active then
    raise exception 'THREAD_CLOSED' using errcode = '42501';
  end if;
  if thread.is_locked and not private.is_course_staff(thread.course_id, person) then
    raise exception 'THREAD_LOCKED' using errcode = '42501';
  end if;
end;
$$;

-- Raises how many seconds someone has to wait before they write again: the thread's slow mode, and
-- twenty messages a minute over all threads. Exact, since the caller has the thread locked, and a
-- person who writes in many threads at once is held up by the twenty.
create or replace function private.check_pace(thread public.discussion_threads, person uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  free_at timestamptz;
begin
  if private.is_course_staff(thread.course_id, person) then
    return;
  end if;
  if thread.slow_mode_seconds > 0 then
    select max(created_at) + make_interval(secs => thread.slow_mode_seconds) into free_at
    from public.thread_messages
    where sender_id = person
      and thread_id = thread.id
      and created_at > moment - make_interval(secs => thread.slow_mode_seconds);
    if free_at > moment then
      raise exception 'SLOW_MODE'
        using errcode = 'P0001', detail = ceil(extract(epoch from free_at - moment)) || ' s';
    end if;
  end if;
  select created_at + interval '1 minute' into free_at
  from public.thread_messages
  where sender_id = person and created_at > moment - interval '1 minute'
  order by created_at desc
  offset 19 limit 1;
  if found then
    raise exception 'TOO_MANY_REQUESTS'
      using errcode = 'P0001', detail = ceil(extract(epoch from free_at - moment)) || ' s';
  end if;
end;
$$;

-- Numbers a message, under the lock of its thread, which its writers share until they commit. Sent
-- again, with the same id by the same sender, it is left out: the first one stands. Services may
-- write history: who, when and where they like.
create or replace function private.accept_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
  root_id uuid;
begin
  if not private.is_service() then
    if new.sender_id is distinct from auth.uid() then
      raise exception 'FORBIDDEN' using errcode = '42501';
    end if;
    -- Before the lock: strangers hold up nobody.
    perform private.check_reads_thread(new.thread_id);
  end if;

  select * into thread from public.discussion_threads
  where id = new.thread_id
  for no key update;
  if exists (
    select 1 from public.thread_messages
    where id = new.id and thread_id = new.thread_id and sender_id = new.sender_id
  ) then
    return null;
  end if;
  if not private.is_service() then
    perform private.check_may_write(thread, new.sender_id);
    perform private.check_pace(thread, new.sender_id);
    new.created_at := clock_timestamp();
  end if;
  if new.parent_id is not null then
    -- One level of replies: a reply to a reply belongs to what that one replies to. Locked, so that
    -- what is told of it beside the reply isn't being edited.
    select coalesce(parent_id, id) into root_id
    from public.thread_messages
    where id = new.parent_id and thread_id = new.thread_id;
    perform from public.thread_messages where id = root_id for share;
    if not found then
      raise exception 'MESSAGE_NOT_FOUND' using errcode = '23503';
    end if;
    new.parent_id := root_id;
  end if;

  new.mentions := private.mentioned_members(new.content, thread.course_id);
  update public.discussion_threads
  set
    last_number = last_number + 1,
    last_message_at = new.created_at,
    last_sender_id = new.sender_id
  where id = new.thread_id
  returning last_number into new.number;
  return new;
end;
$$;

create or replace trigger accept_thread_message
before insert on public.thread_messages
for each row execute function private.accept_thread_message();

-- Who is notified of a message: whoever it names, the one it replies to, and who watches the
-- thread, each once, for the first of these reasons; not its sender, and nobody who muted the
-- thread. Watchers are told once until they have read.
create or replace function private.thread_message_intents(
  message public.thread_messages,
  thread public.discussion_threads,
  named uuid[]
)
returns jsonb
language sql stable set search_path = ''
as $$
  with author as (
    select private.display_name(first_name, last_name) as name
    from public.users where id = message.sender_id
  ), reasons as (
    select person, 1 as rank, 'mention' as type, '%s mentioned you' as title,
      'mention ' || message.id as dedupe_key
    from unnest(named) as person
    union all
    select parent.sender_id, 2, 'message', '%s replied to you', 'reply ' || message.id
    from public.thread_messages as parent
    where parent.id = message.parent_id
    union all
    select user_id, 3, 'message', 'New messages in a discussion',
      format('thread %s after %s', thread_id, read_number)
    from public.thread_readers
    where thread_id = message.thread_id and level = 'watching'
  ), first_reasons as (
    select distinct on (person) *
    from reasons
    where person is distinct from message.sender_id
      and private.is_course_member(thread.course_id, person)
      and not exists (
        select 1 from public.thread_readers
        where thread_id = message.thread_id and user_id = person and level = 'muted'
      )
    order by person, rank
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'user_id', person,
    'type', type,
    'title', format(title, coalesce((select name from author), 'Someone')),
    'message', format('"%s": %s', thread.title, private.excerpt(message.content)),
    'course_id', thread.course_id,
    'related_entity_type', 'thread',
    'related_entity_id', thread.id,
    'dedupe_key', dedupe_key,
    'data', jsonb_build_object(
      'course_id', thread.course_id,
      'thread_id', thread.id,
      'thread_title', thread.title,
      'message_id', message.id,
      'message_number', message.number
    )
  )), '[]')
  from first_reasons
  where person is not null;
$$;

-- A new message: told in the thread, and within a second in the course's list; its sender has read so far
-- and sees from now on what is unread; who is meant is notified.
create or replace function private.after_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  perform private.publish(
    'thread:' || new.thread_id,
    'message.created',
    jsonb_build_object('message', private.thread_message_json(new))
  );
  perform private.thread_is_due(new.thread_id);
  if new.sender_id is not null then
    perform private.read_by_writing(new.thread_id, new.sender_id, new.number);
  end if;
  perform private.notify(private.thread_message_intents(new, thread, new.mentions));
  return null;
end;
$$;

create or replace trigger after_thread_message
after insert on public.thread_messages
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_message();

-- A message's content changes: what it said is kept. Its sender edits it where they could write it;
-- `delete_thread_message` empties it.
create or replace function private.revise_thread_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
begin
  select * into thread from public.discussion_threads where id = new.thread_id;
  if new.deleted_at is null then
    if not private.is_service() then
      perform private.check_may_write(thread, auth.uid());
    end if;
    new.edited_at := clock_timestamp();
    new.mentions := private.mentioned_members(new.content, thread.course_id);
  end if;
  insert into public.thread_message_revisions (message_id, content, written_at)
  values (old.id, old.content, coalesce(old.edited_at, old.created_at));
  return new;
end;
$$;

create or replace trigger revise_thread_message
before update of content on public.thread_messages
for each row
when (old.content is distinct from new.content)
execute function private.revise_thread_message();

-- A message was edited, deleted or endorsed: told as it is now. Whoever is named only since the
-- edit is notified.
create or replace function private.after_thread_message_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  thread public.discussion_threads;
  newly_named uuid[] := array(
    select person from unnest(new.mentions) as person where person <> all (old.mentions)
  );
begin
  perform private.publish(
    'thread:' || new.thread_id,
    'message.updated',
    jsonb_build_object('message', private.thread_message_json(new))
  );
  if newly_named <> '{}' and new.deleted_at is null then
    select * into thread from public.discussion_threads where id = new.thread_id;
    perform private.notify(coalesce((
      select jsonb_agg(intent)
      from jsonb_array_elements(private.thread_message_intents(new, thread, newly_named)) as intent
      where intent ->> 'type' = 'mention'
    ), '[]'));
  end if;
  return null;
end;
$$;

create or replace trigger after_thread_message_change
after update on public.thread_messages
for each row
when (
  (old.content, old.deleted_at, old.endorsed_by)
    is distinct from
  (new.content, new.deleted_at, new.endorsed_by)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.after_thread_message_change();

-- Empties a message; its place and its sender stay. For its sender and the course's staff, who can
-- still read what it said. Deleted once, it stays as it is. Locks the thread, then the message.
create or replace function private.delete_thread_message(message uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages;
  course uuid;
begin
  select course_id into course
  from public.discussion_threads
  where id = (select thread_id from public.thread_messages where id = message)
  for no key update;
  select * into target from public.thread_messages where id = message for no key update;
  if course is null or not private.is_course_member(course, auth.uid()) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if target.sender_id is distinct from auth.uid()
    and not private.is_course_staff(course, auth.uid())
  then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if target.deleted_at is null then
    update public.discussion_threads set answer_id = null where answer_id = message;
    update public.thread_messages
    set content = '', mentions = '{}', endorsed_by = null,
      deleted_at = clock_timestamp(), deleted_by = auth.uid()
    where id = message
    returning * into target;
  end if;
  return private.thread_message_json(target);
end;
$$;
grant execute on function private.delete_thread_message(uuid) to authenticated;
-- <<< discussions/messages.sql

-- >>> discussions/moderation.sql
grant select on public.thread_message_reports to authenticated;

-- A message that the caller may read; raises MESSAGE_NOT_FOUND otherwise.
create or replace function private.readable_thread_message(message uuid)
returns public.thread_messages
language plpgsql stable security definer set search_path = ''
as $$
declare
  target public.thread_messages;
begin
  select thread_messages.* into target
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message
    and thread_messages.deleted_at is null
    and private.is_course_member(thread.course_id, auth.uid());
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return target;
end;
$$;

-- An instructor says that a message is right, or takes that back. For the course's staff.
create or replace function private.endorse_thread_message(message uuid, is_endorsed boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
begin
  if not private.is_course_staff(private.check_reads_thread(target.thread_id), auth.uid()) then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  update public.thread_messages
  set endorsed_by = case when is_endorsed then coalesce(endorsed_by, auth.uid()) end
  where id = message and deleted_at is null
  returning * into target;
  return private.thread_message_json(target);
end;
$$;
grant execute on function private.endorse_thread_message(uuid, boolean) to authenticated;

-- The caller thinks that a message shouldn't stand: kept as it is now, and its course's staff is
-- notified. Reported again by the same person, the first report stands. Gives the report's id.
create or replace function private.report_thread_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.thread_messages := private.readable_thread_message(message);
  thread public.discussion_threads;
  report uuid;
begin
  select * into thread from public.discussion_threads where id = target.thread_id;
  insert into public.thread_message_reports
    (message_id, course_id, reporter_id, reason, note, snapshot)
  values (
    message, thread.course_id, auth.uid(), report_thread_message.reason,
    report_thread_message.note,
    private.thread_message_json(target) || jsonb_build_object('threadTitle', thread.title)
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.thread_message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_thread_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', staff.user_id,
      'type', 'system',
      'level', 'warning',
      'title', 'A message was reported',
      'message', format('In "%s": %s', thread.title, private.excerpt(target.content)),
      'course_id', thread.course_id,
      'related_entity_type', 'thread',
      'related_entity_id', thread.id,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object(
        'course_id', thread.course_id, 'thread_id', thread.id, 'message_id', message
      )
    ))
    from public.course_instructors as staff
    where staff.course_id = thread.course_id and staff.user_id <> auth.uid()
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_thread_message(uuid, text, text) to authenticated;

-- A report as the API and the events show it to the course's staff.
create or replace function private.thread_report_json(report public.thread_message_reports)
returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', report.id,
    'messageId', report.message_id,
    'reporter', private.person_json(report.reporter_id),
    'reason', report.reason,
    'note', report.note,
    'snapshot', report.snapshot,
    'status', report.status,
    'resolvedBy', private.person_json(report.resolved_by),
    'resolvedAt', private.iso_time(report.resolved_at),
    'createdAt', private.iso_time(report.created_at)
  );
$$;
grant execute on function private.thread_report_json(public.thread_message_reports)
to authenticated;

-- Tells the course's staff how a report stands.
create or replace function private.tell_thread_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    format('course:%s:staff', course_id),
    'report.updated',
    jsonb_build_object('report', private.thread_report_json(thread_message_reports))
  )
  from public.thread_message_reports
  where id = report;
$$;

-- What becomes of the open reports of a message: it is removed, or nothing was wrong with it. For
-- the course's staff. Gives how many reports that resolved.
create or replace function private.resolve_thread_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid;
  resolved uuid[];
begin
  select thread.course_id into course
  from public.thread_messages
  join public.discussion_threads as thread on thread.id = thread_messages.thread_id
  where thread_messages.id = message;
  if course is null or not private.is_course_staff(course, auth.uid()) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  if resolve_thread_reports.status = 'removed' then
    perform private.delete_thread_message(message);
  end if;
  with changed as (
    update public.thread_message_reports as report
    set status = resolve_thread_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_thread_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_thread_reports(uuid, text) to authenticated;
-- <<< discussions/moderation.sql

-- >>> discussions/reactions.sql
grant select, insert (message_id, user_id, emoji), delete on public.thread_message_reactions
to authenticated;

-- A sign was put under a message, or taken away: told as a difference, which adds up whoever
-- commits first. One that goes with its message is not told.
create or replace function private.after_thread_message_reaction() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  reaction public.thread_message_reactions := coalesce(new, old);
  thread uuid := (select thread_id from public.thread_messages where id = reaction.message_id);
begin
  if thread is not null then
    perform private.publish(
      'thread:' || thread,
      'message.reacted',
      jsonb_build_object(
        'messageId', reaction.message_id,
        'emoji', reaction.emoji,
        'userId', reaction.user_id,
        'countDelta', case tg_op when 'INSERT' then 1 else -1 end
      )
    );
  end if;
  return null;
end;
$$;

create or replace trigger after_thread_message_reaction
after insert or delete on public.thread_message_reactions
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_message_reaction();
-- <<< discussions/reactions.sql

-- >>> discussions/reading.sql
grant select on public.thread_readers to authenticated;

-- Raises THREAD_NOT_FOUND unless the caller may read the thread; gives its course.
create or replace function private.check_reads_thread(thread uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
declare
  course uuid := (select course_id from public.discussion_threads where id = thread);
begin
  if course is null or not private.is_course_member(course, auth.uid()) then
    raise exception 'THREAD_NOT_FOUND' using errcode = 'P0002';
  end if;
  return course;
end;
$$;

-- Tells someone's devices how far they have read in a thread.
create or replace function private.tell_thread_reader(reader public.thread_readers) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || reader.user_id,
    'thread.read',
    private.thread_reader_json(reader) || jsonb_build_object(
      'courseId', (select course_id from public.discussion_threads where id = reader.thread_id)
    )
  );
$$;

-- Who writes in a thread has read up to what they wrote, and sees from now on what is unread, unless
-- they have decided themselves how closely to follow it.
create or replace function private.read_by_writing(thread uuid, person uuid, number integer)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  insert into public.thread_readers as earlier (thread_id, user_id, read_number, level)
  values (thread, person, number, 'tracking')
  on conflict (thread_id, user_id) do update
  set
    read_number = greatest(earlier.read_number, excluded.read_number),
    level = case when earlier.level = 'normal' then excluded.level else earlier.level end
  returning * into reader;
  perform private.tell_thread_reader(reader);
end;
$$;

-- The caller has read a thread up to a number: never less than before, never more than there is.
-- Its notifications up to there are read too. Gives how far they have read now. Told to their
-- devices when that changed.
create or replace function private.mark_thread_read(thread uuid, number integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
  before integer;
begin
  perform private.check_reads_thread(thread);
  number := least(number, (select last_number from public.discussion_threads where id = thread));
  insert into public.thread_readers (thread_id, user_id)
  values (thread, auth.uid())
  on conflict (thread_id, user_id) do nothing;
  select * into reader from public.thread_readers
  where thread_id = thread and user_id = auth.uid()
  for no key update;
  before := reader.read_number;
  if number > before then
    update public.thread_readers set read_number = number
    where thread_id = thread and user_id = auth.uid()
    returning * into reader;
    perform private.tell_thread_reader(reader);
  end if;
  update public.notifications
  set read_at = clock_timestamp()
  where user_id = auth.uid()
    and read_at is null
    and related_entity_type = 'thread'
    and related_entity_id = thread
    and coalesce((data ->> 'message_number')::integer, 0) <= number;
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.mark_thread_read(uuid, integer) to authenticated;

-- The caller wants a message and all after it to be unread again.
create or replace function private.mark_thread_unread(thread uuid, number integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  perform private.check_reads_thread(thread);
  update public.thread_readers
  set read_number = least(read_number, greatest(number, 1) - 1)
  where thread_id = thread and user_id = auth.uid()
  returning * into reader;
  if not found then
    insert into public.thread_readers (thread_id, user_id)
    values (thread, auth.uid())
    on conflict (thread_id, user_id) do update set read_number = 0
    returning * into reader;
  end if;
  perform private.tell_thread_reader(reader);
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.mark_thread_unread(uuid, integer) to authenticated;

-- How closely the caller wants to follow a thread from now on.
create or replace function private.follow_thread(thread uuid, level text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  reader public.thread_readers;
begin
  perform private.check_reads_thread(thread);
  insert into public.thread_readers (thread_id, user_id, level)
  values (thread, auth.uid(), follow_thread.level)
  on conflict (thread_id, user_id) do update set level = excluded.level
  returning * into reader;
  perform private.tell_thread_reader(reader);
  return private.thread_reader_json(reader);
end;
$$;
grant execute on function private.follow_thread(uuid, text) to authenticated;
-- <<< discussions/reading.sql

-- >>> discussions/search.sql
-- The messages of a course that hold the words (in the manner of web searches: "a phrase", or,
-- -without), best first, newer before older among equals. `excerpt` marks the words with the
-- control characters 1 and 2, which no message is shown with, so that no markup is made here. For
-- the course's members; raises COURSE_NOT_FOUND for others. It reads past row level security,
-- under which Postgres would not use the index of words: so the course is checked here.
create or replace function private.search_thread_messages(
  course uuid,
  words text,
  max integer,
  after integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  wanted tsquery := websearch_to_tsquery('pg_catalog.english', words);
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(
      jsonb_build_object(
        'messageId', id,
        'number', number,
        'threadId', thread_id,
        'threadTitle', title,
        'sender', private.person_json(sender_id),
        'createdAt', private.iso_time(created_at),
        'excerpt', ts_headline(
          'pg_catalog.english',
          translate(content, e'\x01\x02', ''),
          wanted,
          e'StartSel=\x01, StopSel=\x02, MaxWords=30, MinWords=12'
        )
      )
      order by rank desc, created_at desc, id
    )
    from (
      select message.*, thread.title,
        ts_rank(to_tsvector('pg_catalog.english', message.content), wanted) as rank
      from public.thread_messages as message
      join public.discussion_threads as thread on thread.id = message.thread_id
      where to_tsvector('english', message.content) @@ wanted
        and thread.course_id = course
        and message.deleted_at is null
      order by rank desc, message.created_at desc, message.id
      limit least(max, 100)
      offset least(after, 1000)
    ) as hits
  ), '[]');
end;
$$;
grant execute on function private.search_thread_messages(uuid, text, integer, integer)
to authenticated;
-- <<< discussions/search.sql

-- >>> discussions/threads.sql
-- What a member may say about a thread when opening one; the rest is the server's and the staff's.
grant insert (id, course_id, lesson_id, title, created_by) on public.discussion_threads
to authenticated;
grant update (title, is_active, is_pinned, is_locked, slow_mode_seconds, answer_id)
on public.discussion_threads to authenticated;

-- A thread's lesson belongs to its course, its answer to itself.
create or replace function private.check_thread() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.lesson_id is not null and not exists (
    select 1
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where lessons.id = new.lesson_id and modules.course_id = new.course_id
  ) then
    raise exception 'LESSON_NOT_FOUND' using errcode = '23503';
  end if;
  if new.answer_id is not null and not exists (
    select 1 from public.thread_messages
    where id = new.answer_id and thread_id = new.id and deleted_at is null
  ) then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = '23503';
  end if;
  return new;
end;
$$;

create or replace trigger check_thread
before insert or update of lesson_id, answer_id on public.discussion_threads
for each row execute function private.check_thread();

-- A new thread: the course hears of it, its maker follows it, and the staff is notified.
create or replace function private.after_thread_opened() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  maker text := (
    select private.display_name(first_name, last_name) from public.users where id = new.created_by
  );
begin
  perform private.publish(
    'course:' || new.course_id,
    'thread.created',
    jsonb_build_object('thread', private.thread_json(new))
  );
  -- Not told by itself: the first message tells it.
  insert into public.thread_readers (thread_id, user_id, level)
  select new.id, new.created_by, 'watching'
  where new.created_by is not null;
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', staff.user_id,
      'type', 'message',
      'title', 'New discussion',
      'message', format('%s opened "%s" in "%s"', coalesce(maker, 'Someone'), new.title, courses.title),
      'course_id', new.course_id,
      'related_entity_type', 'thread',
      'related_entity_id', new.id,
      'data', jsonb_build_object(
        'course_id', new.course_id,
        'course_title', courses.title,
        'thread_id', new.id,
        'thread_title', new.title
      )
    ))
    from public.course_instructors as staff
    join public.courses on courses.id = staff.course_id
    where staff.course_id = new.course_id and staff.user_id is distinct from new.created_by
  ), '[]'));
  return null;
end;
$$;

create or replace trigger after_thread_opened
after insert on public.discussion_threads
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_opened();

-- A thread was moderated: those in it and those who look at the list hear how it is now.
create or replace function private.after_thread_moderated() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  change jsonb := jsonb_build_object('thread', private.thread_json(new));
begin
  perform private.publish('thread:' || new.id, 'thread.updated', change);
  perform private.publish('course:' || new.course_id, 'thread.updated', change);
  return null;
end;
$$;

create or replace trigger after_thread_moderated
after update on public.discussion_threads
for each row
when (
  (old.title, old.is_active, old.is_pinned, old.is_locked, old.slow_mode_seconds, old.answer_id)
    is distinct from
  (new.title, new.is_active, new.is_pinned, new.is_locked, new.slow_mode_seconds, new.answer_id)
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.after_thread_moderated();

-- A thread is gone: those who look at the list hear of it.
create or replace function private.after_thread_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || old.course_id, 'thread.removed', jsonb_build_object('threadId', old.id)
  );
  return null;
end;
$$;

create or replace trigger after_thread_removed
after delete on public.discussion_threads
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.after_thread_removed();
-- <<< discussions/threads.sql

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
  course_ids uuid[];
  entities uuid[];
  details jsonb[];
  moments timestamptz[];
  setting text;
begin
  select
    array_agg(user_id),
    array_agg(course_id),
    array_agg(id),
    array_agg('{}'::jsonb),
    array_agg(enrolled_at)
  into students, course_ids, entities, details, moments
  from inserted
  where status <> 'cancelled';
  if students is null then
    return null;
  end if;
  setting := private.tell_instructors(
    'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
    students, course_ids, entities, details, moments
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

-- A course finished: told once, when `status` becomes `completed`. An enrollment that was cancelled
-- and begins again is told as a new one. Other changes of `status` move the figures of the course
-- (activity/stats.sql).
create or replace function private.after_course_completion() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  returned uuid[];
  returned_to uuid[];
  returns uuid[];
  returned_details jsonb[];
  returned_at timestamptz[];
  students uuid[];
  courses uuid[];
  entities uuid[];
  details jsonb[];
  moves text;
begin
  select
    array_agg(after.user_id) filter (where before.status = 'cancelled'),
    array_agg(after.course_id) filter (where before.status = 'cancelled'),
    array_agg(after.id) filter (where before.status = 'cancelled'),
    array_agg('{}'::jsonb) filter (where before.status = 'cancelled'),
    array_agg(after.enrolled_at) filter (where before.status = 'cancelled'),
    array_agg(after.user_id) filter (where after.status = 'completed'),
    array_agg(after.course_id) filter (where after.status = 'completed'),
    array_agg(after.id) filter (where after.status = 'completed'),
    array_agg('{}'::jsonb) filter (where after.status = 'completed'),
    string_agg(
      json_build_object(
        'topic', 'course:' || after.course_id || ':staff',
        'event', 'stats.changed',
        'payload', json_build_object(
          'enrolled', -(after.status = 'cancelled')::integer,
          'completed', -(before.status = 'completed')::integer
        )
      )::text,
      ','
    ) filter (where before.status = 'completed' or after.status = 'cancelled')
  into
    returned, returned_to, returns, returned_details, returned_at,
    students, courses, entities, details, moves
  from before
  join after using (id)
  where after.status <> before.status;
  if moves is not null then
    perform private.queue_live('homeroom.events', moves);
  end if;
  if returned is not null then
    perform private.tell_instructors(
      'enrollment', 'enrolled', 'New Student Enrolled', '%s enrolled in "%s"', 'enrollment',
      returned, returned_to, returns, returned_details, returned_at
    );
  end if;
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

-- >>> identity/people.sql
-- A person as others see them beside what they have said or done: also when both share no course
-- any more. Null for nobody. Who calls it has checked that its caller may see what it is beside.
-- In PL/pgSQL, as what calls it for each row: a function in SQL that isn't inlined is planned anew
-- each time.
create or replace function private.person_json(person uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', id,
      'name', private.display_name(first_name, last_name),
      'avatarUrl', avatar_url
    )
    from public.users
    where id = person
  );
end;
$$;
revoke execute on function private.person_json(uuid) from public;
grant execute on function private.person_json(uuid) to authenticated;

-- Those in a course whose first, last or whole name begins with `words`: staff first, then by name,
-- at most `max`. For its members; raises COURSE_NOT_FOUND for others.
create or replace function private.find_course_people(course uuid, words text, max integer)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  begins text := regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
begin
  if not private.is_course_member(course, auth.uid()) then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  return coalesce((
    select jsonb_agg(private.person_json(id) order by is_student, first_name, last_name, id)
    from (
      select users.id, users.first_name, users.last_name, teaching.user_id is null as is_student
      from public.users
      left join public.course_instructors as teaching
        on teaching.user_id = users.id and teaching.course_id = course
      where (
        teaching.user_id is not null
        or exists (
          select 1 from public.enrollments
          where enrollments.user_id = users.id
            and enrollments.course_id = course
            and enrollments.status <> 'cancelled'
        )
      ) and (
        users.first_name ilike begins
        or users.last_name ilike begins
        or users.first_name || ' ' || users.last_name ilike begins
      )
      order by is_student, users.first_name, users.last_name, users.id
      limit least(max, 50)
    ) as people
  ), '[]');
end;
$$;
grant execute on function private.find_course_people(uuid, text, integer) to authenticated;
-- <<< identity/people.sql

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

-- Times are shown and digests sent by it.
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
-- <<< jobs.sql

-- >>> leaderboard/points.sql
-- The Monday (UTC) with which a week begins, and the board on which its points are counted.
create or replace function private.week_of(moment timestamptz) returns date
language sql immutable
as $$
  select date_trunc('week', moment at time zone 'UTC')::date;
$$;
create or replace function private.board_of(scope text) returns text
language sql stable
as $$
  select case scope when 'week' then 'week-' || private.week_of(now()) else scope end;
$$;

-- Whether somebody is shown on leaderboards: an active student who doesn't hide.
create or replace function private.is_shown(person uuid) returns boolean
language sql stable
as $$
  select exists (select 1 from public.users where id = person and role = 'student' and is_active)
    and not exists (select 1 from public.hidden_students where user_id = person);
$$;

-- Writes points to the ledger, each entry (`{ course, reason, subject, turn, tenths }`) once and for
-- all, and adds them to the student's scores: global, of the week, of each course. An entry that is
-- there already gives nothing. Gives the tenths that were new. It writes the student's own rows and
-- no others, so that no two students wait for each other; `count_scores` does the counting.
create or replace function private.award_points(student uuid, entries jsonb) returns integer
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  given integer;
begin
  with written as (
    insert into public.point_entries (user_id, course_id, reason, subject, turn, tenths)
    select student, course, reason, subject, coalesce(turn, 1), tenths
    from jsonb_to_recordset(entries) as entry (
      course uuid, reason text, subject text, turn integer, tenths integer
    )
    where tenths <> 0
    on conflict do nothing
    returning course_id, tenths
  ), gained as (
    select boards.board, sum(written.tenths)::integer as tenths
    from written
    cross join lateral (
      values ('global'), (private.board_of('week')), (written.course_id::text)
    ) as boards (board)
    where boards.board is not null
    group by boards.board
  ), scored as (
    insert into private.leaderboard_scores as had (board, user_id, score, shown_score, week)
    select
      board, student, tenths, case when private.is_shown(student) then tenths end,
      private.week_of(now())
    from gained
    order by board collate "C"
    on conflict (board, user_id) do update
    set
      score = had.score + excluded.score,
      shown_score = had.shown_score + excluded.score,
      score_before_week = case when had.week = excluded.week then had.score_before_week else had.score end,
      week = excluded.week
  )
  select coalesce(sum(tenths), 0) into given from written;
  return given;
end;
$$;

-- Shows or hides somebody's scores on all boards, as `is_shown` says now.
create or replace function private.refresh_shown(person uuid) returns void
language sql security definer set search_path = ''
as $$
  update private.leaderboard_scores
  set shown_score = case when private.is_shown(person) then score end
  where user_id = person
    and shown_score is distinct from case when private.is_shown(person) then score end;
$$;

-- Hides the caller from all leaderboards, or shows them again.
create or replace function public.set_leaderboard_hidden(hidden boolean) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  person uuid := auth.uid();
begin
  if person is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  if hidden then
    insert into public.hidden_students (user_id) values (person) on conflict do nothing;
  else
    delete from public.hidden_students where user_id = person;
  end if;
  perform private.refresh_shown(person);
  return hidden;
end;
$$;
grant execute on function public.set_leaderboard_hidden(boolean) to authenticated;

-- Who becomes an instructor or is disabled leaves the boards; a new name or picture is told there.
create or replace function private.after_user_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if (new.role, new.is_active) is distinct from (old.role, old.is_active) then
    perform private.refresh_shown(new.id);
  end if;
  if (new.first_name, new.last_name, new.avatar_url)
    is distinct from (old.first_name, old.last_name, old.avatar_url) then
    -- Locked in the order in which the job that tells the boards takes them.
    update private.leaderboard_told
    set is_stale = true
    from (
      select scope from private.leaderboard_told
      where board in (
        select scores.board from private.leaderboard_scores as scores where user_id = new.id
      )
      order by scope
      for no key update
    ) as theirs
    where leaderboard_told.scope = theirs.scope;
  end if;
  return null;
end;
$$;
create or replace trigger after_user_change
after update of role, is_active, first_name, last_name, avatar_url on public.users
for each row execute function private.after_user_change();

-- A user who is erased is not counted any more.
create or replace function private.uncount_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update private.leaderboard_counts as had
  set students = had.students - gone.students
  from (
    select board, level, counted_score >> (6 * level) as bucket, count(*) as students
    from erased, generate_series(0, 2) as level
    where counted_score is not null
    group by 1, 2, 3
  ) as gone
  where had.board = gone.board and had.level = gone.level and had.bucket = gone.bucket;
  update private.leaderboard_told set is_stale = true
  where board in (select erased.board from erased);
  return null;
end;
$$;
create or replace trigger uncount_scores
after delete on private.leaderboard_scores
referencing old table as erased
for each statement execute function private.uncount_scores();

-- Scores are updated at every completion: room on their pages.
alter table private.leaderboard_scores set (fillfactor = 80);
-- <<< leaderboard/points.sql

-- >>> leaderboard/ranking.sql
-- How many students on a board have more than a score: the counts of whole buckets above it, of
-- smaller ones inside its bucket, and of single scores inside the smallest; and those whose last
-- change isn't counted yet. A few hundred index entries at most, for a thousand students or a
-- million. Without sequential scans and workers: Postgres takes nearly all scores for not counted,
-- which is what `is distinct from` mostly means, and would read the table, or start two processes for
-- a look at an index that is nearly empty (9 ms of 9.2 among a million). (In plpgsql, as
-- `leaderboard_entry`: called a hundred times for one board, and Postgres 17 plans an SQL function
-- anew for each call.)
create or replace function private.students_above(on_board text, score integer) returns integer
language plpgsql stable
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
as $$
begin
  return (
    coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board and level = 2 and bucket > score >> 12
    ), 0)
    + coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board
        and level = 1
        and bucket > score >> 6
        and bucket < ((score >> 12) + 1) << 6
    ), 0)
    + coalesce((
      select sum(students)
      from private.leaderboard_counts
      where board = on_board
        and level = 0
        and bucket > score
        and bucket < ((score >> 6) + 1) << 6
    ), 0)
    + (
      select
        count(*) filter (where changed.shown_score > students_above.score)
        - count(*) filter (where changed.counted_score > students_above.score)
      from private.leaderboard_scores as changed
      where changed.board = on_board
        and changed.shown_score is distinct from changed.counted_score
    )
  );
end;
$$;

-- How many students are shown on a board.
create or replace function private.students_on(on_board text) returns integer
language plpgsql stable
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
as $$
begin
  return (
    coalesce((
      select sum(students) from private.leaderboard_counts where board = on_board and level = 2
    ), 0)
    + (
      select
        count(*) filter (where shown_score is not null)
        - count(*) filter (where counted_score is not null)
      from private.leaderboard_scores
      where board = on_board and shown_score is distinct from counted_score
    )
  );
end;
$$;

-- Whether a student is shown in one of the first places of the global board.
create or replace function private.is_among_first(student uuid, places integer) returns boolean
language plpgsql stable
as $$
declare
  own integer;
  above integer;
begin
  select shown_score into own
  from private.leaderboard_scores
  where board = 'global' and user_id = student;
  select count(*) into above
  from (
    select 1
    from private.leaderboard_scores
    where board = 'global' and shown_score > own
    limit places
  ) as first;
  return own is not null and above < places;
end;
$$;

-- Whether there are so many on the global board.
create or replace function private.has_ranked_students(wanted integer) returns boolean
language plpgsql stable
as $$
begin
  perform 1
  from private.leaderboard_scores
  where board = 'global' and shown_score is not null
  offset wanted - 1
  limit 1;
  return found;
end;
$$;

-- An entry of a board as it is shown. `movement` is how many places the student has climbed since
-- the week began (negative: fallen); null for those who had no points then, and on the week's board.
create or replace function private.leaderboard_entry(
  own private.leaderboard_scores,
  rank integer
)
returns jsonb
language plpgsql stable
as $$
declare
  person record;
  before integer := case
    when own.week = private.week_of(now()) then own.score_before_week
    else own.score
  end;
  movement integer;
begin
  select
    users.id, users.first_name, users.last_name, users.avatar_url,
    stats.courses_completed, stats.certificates_earned
  into person
  from public.users
  left join public.learning_stats as stats on stats.user_id = users.id
  where users.id = own.user_id;
  if own.board not like 'week-%' and before <> 0 and exists (
    select 1 from private.leaderboard_counts where board = 'before-' || own.board
  ) then
    movement := 1 + private.students_above('before-' || own.board, before) - rank;
  end if;
  return jsonb_build_object(
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'rank', rank,
    'points', round(own.score / 10.0, 1),
    'coursesCompleted', coalesce(person.courses_completed, 0),
    'certificatesEarned', coalesce(person.certificates_earned, 0),
    'movement', movement
  );
end;
$$;

-- The first so many of a board, with ties: equal scores have equal ranks.
create or replace function private.leaderboard_top(on_board text, places integer) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      private.leaderboard_entry(first, first_rank::integer) order by first_rank, (first).user_id desc
    ),
    '[]'
  )
  from (
    select scores as first, rank() over (order by scores.shown_score desc) as first_rank
    from private.leaderboard_scores as scores
    where scores.board = on_board and scores.shown_score is not null
    order by scores.shown_score desc, scores.user_id desc
    limit places
  ) as firsts;
$$;

-- Where a student stands: `{ rank, points, isHidden, students, movement, neighbours }`, or with rank
-- null when they have no points there. A hidden student has the rank they would have. Neighbours
-- are the five before and the five after, and the student between them.
create or replace function private.leaderboard_standing(on_board text, student uuid)
returns jsonb
language sql stable
as $$
  with own as (
    select scores as row, scores.score, scores.shown_score, scores.user_id
    from private.leaderboard_scores as scores
    where board = on_board and user_id = student
  ), around as (
    select above.row from own cross join lateral (
      select scores as row from private.leaderboard_scores as scores
      where scores.board = on_board
        and (scores.shown_score, scores.user_id) > (own.score, own.user_id)
      order by scores.shown_score, scores.user_id
      limit 5
    ) as above
    union all
    select own.row from own
    union all
    select below.row from own cross join lateral (
      select scores as row from private.leaderboard_scores as scores
      where scores.board = on_board
        and (scores.shown_score, scores.user_id) < (own.score, own.user_id)
      order by scores.shown_score desc, scores.user_id desc
      limit 5
    ) as below
  ), ranked as (
    select
      (around.row).user_id,
      (around.row).score,
      private.leaderboard_entry(
        around.row, 1 + private.students_above(on_board, (around.row).score)
      ) as entry
    from around
  )
  select jsonb_build_object(
    'rank', (select entry -> 'rank' from ranked where user_id = student),
    'points', coalesce((select entry -> 'points' from ranked where user_id = student), '0'),
    'movement', (select entry -> 'movement' from ranked where user_id = student),
    'isHidden', exists (select 1 from public.hidden_students where user_id = student),
    'students', private.students_on(on_board),
    'neighbours', coalesce(
      (select jsonb_agg(entry order by score desc, user_id desc) from ranked), '[]'
    )
  );
$$;

-- Raises LEADERBOARD_FORBIDDEN for a scope that the caller may not see: a course they aren't in.
create or replace function private.check_scope(scope text) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not private.is_service()
    and not private.can_read_topic('leaderboard:' || scope, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
end;
$$;

-- The first hundred of a leaderboard as they were last told on its topic: with the topic's number, a
-- snapshot that its events go on from.
create or replace function public.leaderboard_top(scope text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_scope(scope);
  return coalesce(
    (
      select jsonb_build_object('entries', told.entries, 'students', told.students)
      from private.leaderboard_told as told
      where told.scope = leaderboard_top.scope
    ),
    jsonb_build_object(
      'entries', private.leaderboard_top(private.board_of(scope), 100),
      'students', private.students_on(private.board_of(scope))
    )
  );
end;
$$;
grant execute on function public.leaderboard_top(text) to authenticated;

-- Where the caller stands, exact at this moment.
create or replace function public.leaderboard_standing(scope text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_scope(scope);
  return private.leaderboard_standing(private.board_of(scope), auth.uid());
end;
$$;
grant execute on function public.leaderboard_standing(text) to authenticated;

-- The guide's view, and the rank. Runs as its owner: names and totals of all who are shown, nothing
-- else of anybody. Ask for the first rows only: they are read in the order of an index.
create or replace view public.leaderboard with (security_barrier = true) as
select
  person.id as user_id,
  person.first_name,
  person.last_name,
  person.avatar_url as avatar,
  coalesce(stats.courses_completed, 0) as courses_completed,
  coalesce(stats.certificates_earned, 0) as certificates_earned,
  coalesce(stats.total_time_spent, 0) as total_time_spent,
  coalesce(stats.average_score, 0) as average_score,
  round(scores.shown_score / 10.0, 1) as total_points,
  scores.rank
from (
  select user_id, shown_score, rank() over (order by shown_score desc) as rank
  from private.leaderboard_scores
  where board = 'global' and shown_score is not null
) as scores
join public.users as person on person.id = scores.user_id
left join public.learning_stats as stats on stats.user_id = scores.user_id
order by scores.shown_score desc, scores.user_id desc;
revoke all on public.leaderboard from anon, authenticated, service_role;
grant select on public.leaderboard to authenticated, service_role;
-- <<< leaderboard/ranking.sql

-- >>> leaderboard/tell.sql
-- Counts the scores of a board that have changed since they were last counted, at most `most` of
-- them. Waits for nobody: a score that is being changed at this moment is counted next time. Gives
-- the highest score that came or went; null when none did.
create or replace function private.count_scores(on_board text, most integer default 10000)
returns integer
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  highest integer;
begin
  with changed as (
    select user_id, shown_score, counted_score
    from private.leaderboard_scores
    where board = on_board and shown_score is distinct from counted_score
    limit most
    for no key update skip locked
  ), settled as (
    update private.leaderboard_scores as scores
    set counted_score = changed.shown_score
    from changed
    where scores.board = on_board and scores.user_id = changed.user_id
  ), moved as (
    select level, score >> (6 * level) as bucket, sum(students)::integer as students
    from (
      select shown_score as score, 1 as students from changed where shown_score is not null
      union all
      select counted_score, -1 from changed where counted_score is not null
    ) as change, generate_series(0, 2) as level
    group by 1, 2
    having sum(students) <> 0
  ), written as (
    insert into private.leaderboard_counts as had (board, level, bucket, students)
    select on_board, level, bucket, students from moved order by level, bucket
    on conflict (board, level, bucket) do update set students = had.students + excluded.students
  )
  select max(greatest(shown_score, counted_score)) into highest from changed;
  return highest;
end;
$$;

-- Tells the top of a leaderboard, if it is another than was last told: what has changed in it
-- (`entries`), who has left it (`removed`), and how many students there are; all of it (`isWhole`)
-- the first time and in a new week. `highest` is the highest score that has changed: where it lies
-- below the last place, the top needn't be looked at. Null: look in any case.
create or replace function private.tell_top(scope text, highest integer default null) returns void
language plpgsql
as $$
declare
  on_board text := private.board_of(scope);
  told private.leaderboard_told;
  is_whole boolean;
  entries jsonb;
  students integer := private.students_on(on_board);
  changed jsonb;
  removed jsonb;
begin
  select * into told from private.leaderboard_told where leaderboard_told.scope = tell_top.scope;
  is_whole := told.scope is null or told.board <> on_board;
  entries := case
    when not is_whole
      and not told.is_stale
      and jsonb_array_length(told.entries) = 100
      and highest < (told.entries -> -1 ->> 'points')::numeric * 10
      then told.entries
    else private.leaderboard_top(on_board, 100)
  end;
  if is_whole then
    changed := entries;
    removed := '[]';
  else
    select coalesce(jsonb_agg(entry), '[]') into changed
    from jsonb_array_elements(entries) as entry
    where not told.entries @> jsonb_build_array(entry);
    select coalesce(jsonb_agg(former -> 'userId'), '[]') into removed
    from jsonb_array_elements(told.entries) as former
    where not entries @> jsonb_build_array(jsonb_build_object('userId', former -> 'userId'));
  end if;
  insert into private.leaderboard_told as earlier (scope, board, entries, students)
  values (scope, on_board, entries, students)
  on conflict on constraint leaderboard_told_pkey do update
  set
    board = excluded.board,
    entries = excluded.entries,
    students = excluded.students,
    is_stale = false,
    told_at = excluded.told_at;
  if is_whole or changed <> '[]' or removed <> '[]' or students <> told.students then
    perform private.publish('leaderboard:' || scope, 'leaderboard.changed', jsonb_build_object(
      'entries', changed, 'removed', removed, 'students', students, 'isWhole', is_whole
    ));
  end if;
end;
$$;

-- Tells those who look at their own rank on a leaderboard, if it is another than they were last told.
create or replace function private.tell_followers(of_scope text) returns void
language plpgsql
as $$
declare
  changed record;
begin
  for changed in
    with current as (
      select
        scope, user_id, told,
        private.leaderboard_standing(private.board_of(of_scope), user_id) as standing
      from private.leaderboard_followers
      where scope = of_scope and until > now()
    )
    update private.leaderboard_followers as follower
    set told = current.standing
    from current
    where follower.scope = current.scope
      and follower.user_id = current.user_id
      and current.told is distinct from current.standing
    returning follower.user_id, follower.told
  loop
    perform private.publish('user:' || changed.user_id, 'leaderboard.rank', jsonb_build_object(
      'scope', of_scope, 'standing', changed.told
    ));
  end loop;
end;
$$;

-- At the first run of a week: keeps the counts with which it begins, for the movement since then.
create or replace function private.begin_week() returns void
language plpgsql
as $$
declare
  this_week date := private.week_of(now());
begin
  if exists (
    select 1 from private.leaderboard_told
    where scope = 'week' and board = private.board_of('week')
  ) then
    return;
  end if;
  insert into private.leaderboard_told (scope, board, is_stale)
  select distinct board, '', true
  from private.leaderboard_scores
  where shown_score is distinct from counted_score and board not like 'week-%'
  on conflict (scope) do update set is_stale = true;
  perform private.count_scores(board, 2147483647)
  from (
    select distinct board from private.leaderboard_scores
    where shown_score is distinct from counted_score
  ) as changed;
  delete from private.leaderboard_counts where board like 'before-%';
  insert into private.leaderboard_counts (board, level, bucket, students)
  select 'before-' || board, level, bucket, students
  from private.leaderboard_counts
  where board not like 'week-%' and students > 0;
  delete from private.leaderboard_scores
  where board like 'week-%' and board < 'week-' || (this_week - 28);
  delete from private.leaderboard_counts
  where board like 'week-%' and board < 'week-' || (this_week - 28);
  perform private.tell_top('week');
  update private.leaderboard_told set is_stale = true where scope <> 'week';
end;
$$;

-- Counts what has changed, and tells it: the one place where leaderboards are published, run once a
-- second, so that a topic has one event a second at most, whatever the load. A board that nothing
-- changed on costs nothing. Two runs at the same time can't be: the second does nothing. Gives the
-- number of boards looked at.
create or replace function private.tell_leaderboards() returns integer
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  changed_scope text;
  highest integer;
  boards integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('tell leaderboards', 0)) then
    return 0;
  end if;
  perform private.begin_week();
  for changed_scope in
    select distinct case board when private.board_of('week') then 'week' else board end
    from private.leaderboard_scores
    where shown_score is distinct from counted_score
    union
    select scope from private.leaderboard_told where is_stale
    order by 1
  loop
    highest := private.count_scores(private.board_of(changed_scope));
    continue when changed_scope like 'week-%';
    perform private.tell_top(changed_scope, highest);
    perform private.tell_followers(changed_scope);
    boards := boards + 1;
  end loop;
  delete from private.leaderboard_followers where until < now() - interval '1 hour';
  return boards;
end;
$$;

-- The caller's standing, and for the next ten minutes each change of it on their own topic. Gives
-- the standing with that topic's number, both of one moment.
create or replace function public.follow_leaderboard(scope text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  snapshot jsonb;
begin
  if auth.uid() is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  perform private.check_scope(scope);
  insert into private.leaderboard_followers (user_id, scope, until)
  values (auth.uid(), scope, now() + interval '10 minutes')
  on conflict on constraint leaderboard_followers_pk do update
  set told = null, until = excluded.until;
  select jsonb_build_object(
    'data', private.leaderboard_standing(private.board_of(scope), auth.uid()),
    'seq', private.live_cursor('user:' || auth.uid())
  )
  into snapshot;
  return snapshot;
end;
$$;
grant execute on function public.follow_leaderboard(text) to authenticated;
-- <<< leaderboard/tell.sql

-- >>> live/epochs.sql
-- How losing a right ends a subscription. Realtime asks for rights at the join and not again until
-- the client's token changes, which a hostile client never does; and a hosted server can't be told
-- to throw anybody out. So a topic's events are sent on a channel whose name carries an *epoch*:
-- `course:<id>` at first, `course:<id>:e3` when three times somebody has lost the right to it. Who
-- takes a right away moves the topic in the same transaction: its events, from those of this
-- transaction on, go to a channel that only readers can join, and none before the move. Numbers go
-- on as if nothing had happened, so whoever moves late catches up. What clients send each other
-- (`:live`) moves with it.

-- The channel of a topic. (Without the cast it would be no immutable expression, and Postgres would
-- plan the function anew for each event.)
create or replace function private.channel_of(topic text, epoch bigint) returns text
language sql immutable
as $$
  select case when epoch = 0 then topic else topic || ':e' || epoch::text end;
$$;

-- Who may join a channel: the readers of its topic, while it is the topic's channel. An epoch is
-- written in one way only, so no second name leads to the same topic. `:live` is for whom its
-- topic is for. Evaluated in one snapshot: who sees the epoch sees the loss of right behind it.
create or replace function private.can_join_channel(channel text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  parts text[] := regexp_match(channel, '^(.+?)(?::e([1-9][0-9]{0,17}))?(?::live)?$');
  current_epoch bigint := (select epoch from private.live_topics where topic = parts[1]);
begin
  return coalesce(parts[2]::bigint, 0) = coalesce(current_epoch, 0)
    and private.can_read_topic(parts[1], person);
end;
$$;
grant execute on function private.can_join_channel(text, uuid) to anon, authenticated;

-- Who may broadcast and track: those who may join, and only on `…:live`. On a topic itself only
-- the database speaks.
create or replace function private.can_send_on_channel(channel text, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select channel like '%:live' and private.can_join_channel(channel, person);
$$;
grant execute on function private.can_send_on_channel(text, uuid) to authenticated;

-- Evaluated by Realtime at join, and again with each new token. Who has no account reads what is
-- everybody's (a certificate's topic), and speaks nowhere.
drop policy if exists "readers of a topic receive and see who is there" on realtime.messages;
create policy "readers of a topic receive and see who is there" on realtime.messages
for select to anon, authenticated
using (
  extension in ('broadcast', 'presence')
  and private.can_join_channel((select realtime.topic()), (select auth.uid()))
);

drop policy if exists "readers of a topic speak beside it, never on it" on realtime.messages;
create policy "readers of a topic speak beside it, never on it" on realtime.messages
for insert to authenticated
with check (
  extension in ('broadcast', 'presence')
  and private.can_send_on_channel((select realtime.topic()), (select auth.uid()))
);

-- The epoch of a topic's channel, for whoever may read the topic. To be asked before a join, and
-- when one was refused: TOPIC_FORBIDDEN then says that it will be refused again.
create or replace function public.live_epoch(topic text) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  return coalesce(
    (select epoch from private.live_topics where live_topics.topic = live_epoch.topic), 0
  );
end;
$$;
grant execute on function public.live_epoch(text) to anon, authenticated, service_role;

-- Moves topics to their next channels when this transaction commits, each once however often it is
-- asked for. `readers` is about how many are on each of them: those who stay spread their joins
-- over 20 ms a head, at most ten seconds, which is slower than what hosted servers take of all
-- clients together (100 joins a second, on bigger plans 500 to 2,500).
create or replace function private.move_topics(topics text[], readers bigint) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.moves', (
    select string_agg(
      jsonb_build_object('topic', topic, 'withinMs', least(readers * 20, 10000))::text, ','
    )
    from unnest(topics) as topic
  ));
end;
$$;

-- Moves topics to their next channels: locks the heads of these and of the events' topics in one
-- order, and tells those who are on the channels that were left where to go. That has no number,
-- since it is about the channel: who doesn't hear it sees the epoch in the next answer of
-- `live_since`.
create or replace function private.move_heads(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
begin
  with wanted as (
    select topic, max(step) as steps, max(within_ms) as within_ms
    from (
      select topic, 0 as step, null::integer as within_ms
      from jsonb_to_recordset(events) as event (topic text)
      union all
      select topic, 1, "withinMs"
      from jsonb_to_recordset(moves) as move (topic text, "withinMs" integer)
    ) as named
    group by topic
  ), moved as (
    insert into private.live_topics as head (topic, seq, epoch)
    select topic, 0, steps from wanted order by topic collate "C"
    on conflict (topic) do update set epoch = head.epoch + excluded.epoch
    returning topic, epoch
  ), message as (
    select gen_random_uuid() as id, topic, epoch, within_ms
    from moved
    join wanted using (topic)
    where send and steps = 1
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch - 1),
    'broadcast',
    'topic.moved',
    jsonb_build_object('id', id, 'epoch', epoch, 'withinMs', within_ms),
    true
  from message;
end;
$$;
-- <<< live/epochs.sql

-- >>> live/lost-rights.sql
-- Who loses a right, and to which topics. Each row that gave a right and is gone moves what it gave
-- the right to, also where another row still gives it: two transactions that each take one of the
-- two away see each other's, and neither would know that it took the last. The person is told
-- `access.revoked` on their own topic, and asks again for everything that they follow.

-- The topics of all members of a course.
create or replace function private.course_topics(course uuid) returns setof text
language sql stable
as $$
  select unnest(array['course:' || course, 'leaderboard:' || course])
  union all
  select 'thread:' || id from public.discussion_threads where course_id = course;
$$;

-- The topics of a course's staff: those of the members, and their own.
create or replace function private.course_staff_topics(course uuid) returns setof text
language sql stable
as $$
  select private.course_topics(course)
  union all
  select 'course:' || course || ':staff'
  union all
  select unnest(array['workshop:' || id, 'workshop:' || id || ':staff'])
  from public.workshops
  where course_id = course;
$$;

-- Tells people that they have lost the right to something.
create or replace function private.tell_revoked(people uuid[], scopes text[]) returns void
language plpgsql
as $$
begin
  perform private.queue_live('homeroom.events', (
    select string_agg(
      jsonb_build_object(
        'topic', 'user:' || person,
        'event', 'access.revoked',
        'payload', jsonb_build_object('scope', scope)
      )::text,
      ','
    )
    from unnest(people, scopes) as lost (person, scope)
  ));
end;
$$;

-- Ends what membership of courses gave: `people` and `course_ids` are pairs. `as_staff` says which
-- membership it was.
create or replace function private.end_course_rights(
  people uuid[],
  course_ids uuid[],
  as_staff boolean
)
returns void
language plpgsql
as $$
declare
  course uuid;
  topics text[];
begin
  if people is null then
    return;
  end if;
  perform private.tell_revoked(people, (
    select array_agg('course:' || id order by position)
    from unnest(course_ids) with ordinality as lost (id, position)
  ));
  for course in select distinct id from unnest(course_ids) as id loop
    topics := case
      when as_staff then array(select private.course_staff_topics(course))
      else array(select private.course_topics(course))
    end;
    perform private.move_topics(topics, (
      select count(*) from public.enrollments
      where course_id = course and status <> 'cancelled'
    ));
  end loop;
end;
$$;

-- Enrollments that were cancelled, or given to another student or course.
create or replace function private.after_enrollment_cancelled() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(before.user_id), array_agg(before.course_id)
  into people, course_ids
  from before
  join after using (id)
  where before.status <> 'cancelled'
    and (after.status = 'cancelled'
      or (after.user_id, after.course_id) is distinct from (before.user_id, before.course_id));
  if people is not null then
    perform private.end_course_rights(people, course_ids, false);
  end if;
  return null;
end;
$$;

create or replace trigger after_enrollment_cancelled
after update on public.enrollments
referencing old table as before new table as after
for each statement
execute function private.after_enrollment_cancelled();

create or replace function private.after_enrollment_deleted() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  people uuid[];
  course_ids uuid[];
begin
  select array_agg(user_id), array_agg(course_id)
  into people, course_ids
  from deleted
  where status <> 'cancelled';
  perform private.end_course_rights(people, course_ids, false);
  return null;
end;
$$;

create or replace trigger after_enrollment_deleted
after delete on public.enrollments
referencing old table as deleted
for each statement
execute function private.after_enrollment_deleted();

-- An instructor who no longer teaches a course.
create or replace function private.after_instructor_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.end_course_rights(array[old.user_id], array[old.course_id], true);
  return null;
end;
$$;

create or replace trigger after_instructor_removed
after delete or update of user_id, course_id on public.course_instructors
for each row
execute function private.after_instructor_removed();

-- A registration that was cancelled or removed, or given to somebody else.
create or replace function private.after_registration_ended() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  topic text := 'workshop:' || old.workshop_id;
begin
  perform private.tell_revoked(array[old.user_id], array[topic]);
  perform private.move_topics(array[topic], (
    select count(*) from public.workshop_registrations
    where workshop_id = old.workshop_id and status <> 'cancelled'
  ));
  return null;
end;
$$;

create or replace trigger after_registration_deleted
after delete on public.workshop_registrations
for each row
when (old.status <> 'cancelled')
execute function private.after_registration_ended();

create or replace trigger after_registration_cancelled
after update of status, user_id, workshop_id on public.workshop_registrations
for each row
when (old.status <> 'cancelled'
  and (new.status = 'cancelled'
    or (new.user_id, new.workshop_id) is distinct from (old.user_id, old.workshop_id)))
execute function private.after_registration_ended();

-- A person who may not come in any more: everything that they had a right to moves, their own topic
-- too, where the move is what tells them.
create or replace function private.after_user_deactivated() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.move_topics(array['user:' || old.id], 0);
  perform private.end_course_rights(array[old.id], array[course_id], false)
  from public.enrollments
  where user_id = old.id and status <> 'cancelled';
  perform private.end_course_rights(array[old.id], array[course_id], true)
  from public.course_instructors
  where user_id = old.id;
  perform private.move_topics(array_agg('workshop:' || workshop_id), 50)
  from public.workshop_registrations
  where user_id = old.id and status <> 'cancelled';
  return null;
end;
$$;

create or replace trigger after_user_deactivated
after update of is_active on public.users
for each row
when (old.is_active and not new.is_active)
execute function private.after_user_deactivated();

-- An administrator who is none any more could read every course: all of them move. Rare, and as
-- slow as there are topics.
create or replace function private.after_admin_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_revoked(array[old.id], array['everything']);
  perform private.move_topics(
    array(select private.course_staff_topics(courses.id) from public.courses), 500
  );
  return null;
end;
$$;

create or replace trigger after_admin_removed
after update of role, is_active on public.users
for each row
when (old.role = 'admin' and old.is_active and (new.role <> 'admin' or not new.is_active))
execute function private.after_admin_removed();

create or replace trigger after_admin_deleted
after delete on public.users
for each row
when (old.role = 'admin' and old.is_active)
execute function private.after_admin_removed();
-- <<< live/lost-rights.sql

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

-- Numbers events, keeps them, and hands them to Realtime: locks the heads of their topics in one
-- order, takes as many numbers as there are events, and writes under the locks. The last insert is
-- what `realtime.send` does; the caller catches what fails. One event alone, which is what most
-- transactions tell, has a way without sets: half the time, which is part of each commit.
create or replace function private.store_events(events jsonb, moves jsonb, send boolean) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
  told_on text;
  told text;
  number bigint;
  current_epoch bigint;
  moment timestamptz;
  message uuid;
begin
  if moves <> '[]' then
    perform private.move_heads(events, moves, send);
  end if;
  if events = '[]' then
    return;
  end if;
  if jsonb_array_length(events) = 1 then
    told_on := events -> 0 ->> 'topic';
    told := events -> 0 ->> 'event';
    insert into private.live_topics as head (topic, seq)
    values (told_on, 1)
    on conflict (topic) do update set seq = head.seq + 1
    returning head.seq, head.epoch into number, current_epoch;
    moment := clock_timestamp();
    insert into private.live_events (topic, seq, event, payload, created_at)
    values (told_on, number, told, events -> 0 -> 'payload', moment);
    if send then
      message := gen_random_uuid();
      insert into realtime.messages (id, topic, extension, event, payload, private)
      values (
        message,
        private.channel_of(told_on, current_epoch),
        'broadcast',
        told,
        jsonb_build_object(
          'id', message, 'seq', number, 'at', private.epoch_ms(moment), 'data', events -> 0 -> 'payload'
        ),
        true
      );
    end if;
    return;
  end if;
  with event as materialized (
    select
      gen_random_uuid() as id,
      topic,
      event,
      payload,
      row_number() over (partition by topic order by position desc) as place
    from rows from (
      jsonb_to_recordset(events) as (topic text collate "C", event text, payload jsonb)
    ) with ordinality as item (topic, event, payload, position)
  ), head as (
    insert into private.live_topics as head (topic, seq)
    select topic, max(place) from event group by topic order by topic
    on conflict (topic) do update set seq = head.seq + excluded.seq
    returning topic, seq, epoch
  ), numbered as materialized (
    select
      event.id, topic, event, payload, epoch,
      seq - place + 1 as seq,
      clock_timestamp() as moment
    from event
    join head using (topic)
    order by seq - place + 1
  ), stored as (
    insert into private.live_events (topic, seq, event, payload, created_at)
    select topic, seq, event, payload, moment from numbered
  )
  insert into realtime.messages (id, topic, extension, event, payload, private)
  select
    id,
    private.channel_of(topic, epoch),
    'broadcast',
    event,
    jsonb_build_object('id', id, 'seq', seq, 'at', private.epoch_ms(moment), 'data', payload),
    true
  from numbered
  where send;
end;
$$;

-- The slow way, when something failed: what can be written is written, notification by
-- notification; what can't is recorded; and the change itself is never lost.
create or replace function private.store_what_can_be(events jsonb, intents jsonb, moves jsonb)
returns void
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
    perform private.store_events(told, moves, true);
  exception when others then
    raise warning 'Realtime was not told of % events: % (%)', jsonb_array_length(told), sqlerrm, sqlstate;
    perform private.store_events(told, moves, false);
  end;
end;
$$;

-- Empties the queues. Runs at commit, or earlier on `set constraints all immediate`. Its plans are
-- kept for a session, so one that was made while a table was small would read all of it later:
-- everything here is looked up by key. Notifications come first, under locks of their recipients
-- (write.sql), then the heads: always in this order.
create or replace function private.flush_live() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
as $$
declare
  events jsonb := '[' || coalesce(current_setting('homeroom.events', true), '') || ']';
  intents jsonb := '[' || coalesce(current_setting('homeroom.notifications', true), '') || ']';
  moves jsonb := '[' || coalesce(current_setting('homeroom.moves', true), '') || ']';
  setting text;
begin
  setting := set_config('homeroom.events', '', true);
  setting := set_config('homeroom.notifications', '', true);
  setting := set_config('homeroom.moves', '', true);
  setting := set_config('homeroom.flush', '', true);
  begin
    setting := private.store_events(
      case
        when intents = '[]' then events
        else events || private.write_notifications(intents)
      end,
      moves,
      true
    );
  exception when others then
    perform private.store_what_can_be(events, intents, moves);
  end;
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

-- >>> live/settled.sql
-- A commit is heard of before it can be read: Realtime reads it from the log, which is written a
-- moment before other transactions see it; on a busy machine that moment is long enough for
-- somebody to join the topic and to load a snapshot. Without more, that person would lack an event
-- which they will never hear, and not know until the next one shows the gap. So who reads a head
-- looks whether somebody is writing the next one, waits for the writer, and reads again.

-- How long a reader waits for a writer: 100 times 5 ms. One that takes longer (an announcement to a
-- hundred thousand) hasn't come to its commit yet, so its event is still to be heard.

-- `seq`, unless its `writer` (the `xmax` of the head that the caller's snapshot sees) has committed:
-- then SETTLE_AND_REPEAT, because the same in a new snapshot is complete. Only where
-- `homeroom.settle` is on, by those who repeat.
create or replace function private.settled_seq(seq bigint, writer xid) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  next_id bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  -- With its epoch: of all ids that end like it, the one nearest to the snapshot's.
  writer_id xid8 := (
    next_id - 2147483648
    + (writer::text::bigint - next_id % 4294967296 + 6442450944) % 4294967296
  )::text::xid8;
begin
  if current_setting('homeroom.settle', true) is distinct from 'on' then
    return seq;
  end if;
  for attempt in 1..100 loop
    case pg_xact_status(writer_id)
      when 'in progress' then
        perform pg_sleep(0.005);
      when 'committed' then
        raise exception 'SETTLE_AND_REPEAT' using errcode = '40001';
      else
        return seq;
    end case;
  end loop;
  return seq;
end;
$$;
grant execute on function private.settled_seq(bigint, xid) to authenticated, service_role;

-- Whether somebody is writing can be seen of a head that there is, so each topic has one from the
-- moment on that there is what it is about.
create or replace function private.begin_topics() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  subject text;
begin
  if tg_table_name = 'certificates' then
    subject := new.serial_number;
  else
    subject := new.id;
  end if;
  for argument in 0..tg_nargs - 1 loop
    insert into private.live_topics (topic, seq)
    values (format(tg_argv[argument], subject), 0)
    on conflict do nothing;
  end loop;
  return null;
end;
$$;

create or replace trigger begin_topics after insert on public.users
for each row execute function private.begin_topics('user:%s');

create or replace trigger begin_topics after insert on public.courses
for each row execute function private.begin_topics('course:%s', 'course:%s:staff', 'leaderboard:%s');

create or replace trigger begin_topics after insert on public.discussion_threads
for each row execute function private.begin_topics('thread:%s');

create or replace trigger begin_topics after insert on public.workshops
for each row execute function private.begin_topics('workshop:%s', 'workshop:%s:staff');

create or replace trigger begin_topics after insert on public.certificates
for each row execute function private.begin_topics('certificate:%s');

insert into private.live_topics (topic, seq)
select 'user:' || id, 0 from public.users
union all
select format(name, id), 0
from public.courses, unnest(array['course:%s', 'course:%s:staff', 'leaderboard:%s']) as name
union all
select 'thread:' || id, 0 from public.discussion_threads
union all
select format(name, id), 0
from public.workshops, unnest(array['workshop:%s', 'workshop:%s:staff']) as name
union all
select 'certificate:' || serial_number, 0 from public.certificates
union all
select unnest(array['leaderboard:global', 'leaderboard:week', 'school:workshops']), 0
on conflict do nothing;
-- <<< live/settled.sql

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
-- Who may read a topic. Used at join (by `can_join_channel`), by the policy on `live_topics`, and
-- by `live_since`. A few lookups by primary key. (The name is taken apart by its colons: one regular
-- expression for all of it, with a bounded repetition inside, cost half a millisecond a call.)
create or replace function private.can_read_topic(topic text, person uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  -- kind, subject, 'staff' if it is the staff's.
  parts text[] := string_to_array(topic, ':');
  for_staff boolean := cardinality(parts) = 3 and parts[3] = 'staff';
  subject uuid;
begin
  if (cardinality(parts) = 2 or for_staff) is not true then
    return false;
  end if;
  -- For everybody, also without an account: who has the serial number has been shown the certificate.
  if parts[1] = 'certificate' then
    return not for_staff and exists (
      select 1 from public.certificates where serial_number = parts[2]
    );
  end if;
  if not exists (select 1 from public.users where id = person and is_active) then
    return false;
  end if;
  if parts[2] !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return not for_staff and (
      (parts[1] = 'leaderboard' and parts[2] in ('global', 'week'))
      or (parts[1] = 'school' and parts[2] = 'workshops')
    );
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
    else
      return false;
  end case;
end;
$$;
grant execute on function private.can_read_topic(text, uuid) to authenticated;

grant select on private.live_topics to authenticated, service_role;

-- Heads are updated at every event: room on their page keeps that off the index.
alter table private.live_topics set (fillfactor = 50);

-- The number of a topic's newest event; 0 when there is none, or none for the caller. To be read
-- in one snapshot with the data: in one statement, or in a `repeatable read` transaction.
create or replace function private.live_cursor(topic text) returns bigint
language sql stable
as $$
  select coalesce((
    select case when xmax = '0' then seq else private.settled_seq(seq, xmax) end
    from private.live_topics
    where live_topics.topic = live_cursor.topic
  ), 0);
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
-- head, epoch }`. `{ status: 'too-old', head, epoch }` when some of them are beyond retention, or
-- when the number is none of ours: then only a new snapshot helps. `epoch` is that of the topic's
-- channel (epochs.sql). Callable by whoever may read the topic.
create or replace function public.live_since(topic text, after bigint, max integer default 500)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  head bigint;
  epoch bigint;
  events jsonb;
begin
  if not private.is_service() and not private.can_read_topic(topic, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN'
      using errcode = '42501', detail = format('Topic "%s" is not yours to read.', topic);
  end if;
  select case when xmax = '0' then heads.seq else private.settled_seq(heads.seq, xmax) end, heads.epoch
  into head, epoch
  from private.live_topics as heads
  where heads.topic = live_since.topic;
  head := coalesce(head, 0);
  epoch := coalesce(epoch, 0);
  if after = head then
    return jsonb_build_object(
      'status', 'events', 'events', '[]'::jsonb, 'head', head, 'epoch', epoch
    );
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
    return jsonb_build_object('status', 'too-old', 'head', head, 'epoch', epoch);
  end if;
  return jsonb_build_object('status', 'events', 'events', events, 'head', head, 'epoch', epoch);
end;
$$;
grant execute on function public.live_since(text, bigint, integer)
to anon, authenticated, service_role;
-- <<< live/topics.sql

-- >>> messages/moderation.sql
-- A report as the API and the events show it to administrators.
create or replace function private.message_report_json(report public.message_reports) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'id', report.id,
    'messageId', report.message_id,
    'reporter', private.person_json(report.reporter_id),
    'reason', report.reason,
    'note', report.note,
    'snapshot', report.snapshot,
    'status', report.status,
    'resolvedBy', private.person_json(report.resolved_by),
    'resolvedAt', private.iso_time(report.resolved_at),
    'createdAt', private.iso_time(report.created_at)
  );
$$;
grant execute on function private.message_report_json(public.message_reports) to authenticated;

-- Tells the administrators how a report stands.
create or replace function private.tell_message_report(report uuid) returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || admin.id,
    'message_report.updated',
    jsonb_build_object('report', private.message_report_json(message_reports))
  )
  from public.message_reports, public.users as admin
  where message_reports.id = report and admin.role = 'admin' and admin.is_active;
$$;

-- Reports a message that the caller has received, as it is, to the administrators. Gives the
-- report's id; the first one stands.
create or replace function private.report_message(message uuid, reason text, note text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  target public.messages;
  report uuid;
begin
  select * into target from public.messages
  where id = message and recipient_id = auth.uid();
  if not found then
    raise exception 'MESSAGE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.message_reports (message_id, reporter_id, reason, note, snapshot)
  values (
    message, auth.uid(), report_message.reason, report_message.note,
    private.direct_message_json(target)
      || jsonb_build_object('sender', private.person_json(target.sender_id))
  )
  on conflict (message_id, reporter_id) do nothing
  returning id into report;
  if report is null then
    return (
      select id from public.message_reports
      where message_id = message and reporter_id = auth.uid()
    );
  end if;
  perform private.tell_message_report(report);
  perform private.notify(coalesce((
    select jsonb_agg(jsonb_build_object(
      'user_id', id,
      'type', 'system',
      'level', 'warning',
      'title', 'A direct message was reported',
      'message', private.excerpt(target.content),
      'related_entity_type', 'message_report',
      'related_entity_id', report,
      'dedupe_key', 'report of ' || message,
      'data', jsonb_build_object('report_id', report, 'sender_id', target.sender_id)
    ))
    from public.users
    where role = 'admin' and is_active
  ), '[]'));
  return report;
end;
$$;
grant execute on function private.report_message(uuid, text, text) to authenticated;

-- Takes away what a direct message said, and tells both. Its number stays, so nothing is counted
-- anew; what was reported keeps it.
create or replace function private.remove_message(message uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  target public.messages;
begin
  update public.messages
  set content = '', removed_at = clock_timestamp()
  where id = message and removed_at is null
  returning * into target;
  if not found then
    return;
  end if;
  select * into conversation from public.conversations where id = target.conversation_id;
  update public.notifications
  set message = 'This message was removed.'
  where user_id = target.recipient_id
    and related_entity_id = conversation.id
    and (data ->> 'message_number')::integer = target.number;
  perform private.publish(
    'user:' || person,
    'direct_message.removed',
    jsonb_build_object(
      'message', private.direct_message_json(target),
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', 0
    )
  )
  from unnest(array[conversation.low_id, conversation.high_id]) as person
  where person is not null;
end;
$$;

-- What becomes of the open reports of a direct message: it is removed, or nothing was wrong with it.
-- For administrators. Gives how many reports that resolved.
create or replace function private.resolve_message_reports(message uuid, status text)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  resolved uuid[];
begin
  if not private.is_admin() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if resolve_message_reports.status = 'removed' then
    perform private.remove_message(message);
  end if;
  with changed as (
    update public.message_reports as report
    set status = resolve_message_reports.status, resolved_by = auth.uid(),
      resolved_at = clock_timestamp()
    where report.message_id = message and report.status = 'open'
    returning report.id
  )
  select coalesce(array_agg(id), '{}') into resolved from changed;
  perform private.tell_message_report(report) from unnest(resolved) as report;
  return cardinality(resolved);
end;
$$;
grant execute on function private.resolve_message_reports(uuid, text) to authenticated;
-- <<< messages/moderation.sql

-- >>> messages/rights.sql
grant select on public.conversations, public.conversation_readers, public.message_reports
to authenticated;
grant insert (id, sender_id, recipient_id, content) on public.messages to authenticated;
grant select, insert (blocker_id, blocked_id), delete on public.message_blocks to authenticated;
grant select, insert (user_id, sends_receipts, shows_typing), update (sends_receipts, shows_typing)
on public.message_settings to authenticated;
grant select, insert (course_id, students_may_write), update (students_may_write)
on public.course_message_settings to authenticated;

-- The courses someone takes part in, and whether they belong to the staff.
create or replace function private.memberships(person uuid)
returns table (course_id uuid, is_staff boolean)
language sql stable security definer set search_path = ''
as $$
  select course_id, true from public.course_instructors where user_id = person
  union all
  select course_id, false from public.enrollments
  where user_id = person and status <> 'cancelled';
$$;

-- Whether one person may write another: they share a course, where one of them belongs to the staff
-- or students may write each other; or one is an administrator; and none has blocked the other.
create or replace function private.can_message(sender uuid, recipient uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select (
    select count(*) = 2 from public.users where id in (sender, recipient) and is_active
  ) and not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((sender, recipient), (recipient, sender))
  ) and (
    exists (select 1 from public.users where id in (sender, recipient) and role = 'admin')
    or exists (
      select 1
      from private.memberships(sender) as own
      join private.memberships(recipient) as theirs using (course_id)
      left join public.course_message_settings as setting using (course_id)
      where own.is_staff or theirs.is_staff or coalesce(setting.students_may_write, true)
    )
  );
$$;

grant execute on function private.can_message(uuid, uuid) to authenticated;

-- Whether two people see of each other what they have read: both have to want it.
create or replace function private.shares_receipts(one uuid, other uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_settings
    where user_id in (one, other) and not sends_receipts
  );
$$;

-- Those whom the caller may write, whose name, or last name, begins with `words`: at most `max`, by
-- name.
create or replace function private.find_people_to_message(words text, max integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.person_json(id) order by first_name, last_name, id), '[]')
  from (
    select distinct person.id, person.first_name, person.last_name
    from private.memberships(auth.uid()) as own
    join lateral (
      select user_id from public.course_instructors where course_id = own.course_id
      union all
      select user_id from public.enrollments
      where course_id = own.course_id and status <> 'cancelled'
    ) as theirs on true
    join public.users as person on person.id = theirs.user_id
    where person.id <> auth.uid()
      and (
        person.first_name || ' ' || person.last_name
          ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
        or person.last_name ilike regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%'
      )
      and private.can_message(auth.uid(), person.id)
    order by person.first_name, person.last_name, person.id
    limit least(max, 50)
  ) as people;
$$;
grant execute on function private.find_people_to_message(text, integer) to authenticated;
-- <<< messages/rights.sql

-- >>> messages/write.sql
-- A direct message as the API and the events show it.
create or replace function private.direct_message_json(message public.messages) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', message.id,
    'number', message.number,
    'senderId', message.sender_id,
    'recipientId', message.recipient_id,
    'content', message.content,
    'isRemoved', message.removed_at is not null,
    'createdAt', private.iso_time(message.created_at)
  );
$$;
grant execute on function private.direct_message_json(public.messages) to authenticated;

-- A conversation as one of the two sees it. `theirReadNumber` and `theirDeliveredNumber` are null
-- where one of them wants no receipts.
create or replace function private.conversation_json(
  conversation public.conversations,
  viewer uuid
)
returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', conversation.id,
    'with', private.person_json(other.id),
    'lastNumber', conversation.last_number,
    'lastMessageAt', private.iso_time(conversation.last_message_at),
    'lastMessage', (
      select jsonb_build_object(
        'number', number, 'senderId', sender_id, 'excerpt', private.excerpt(content)
      )
      from public.messages
      where conversation_id = conversation.id and number = conversation.last_number
    ),
    'readNumber', coalesce(mine.read_number, 0),
    'deliveredNumber', coalesce(mine.delivered_number, 0),
    'unreadCount', conversation.last_number - coalesce(mine.read_number, 0),
    'theirReadNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.read_number, 0) end,
    'theirDeliveredNumber',
    case when private.shares_receipts(viewer, other.id) then coalesce(theirs.delivered_number, 0) end
  )
  from (
    select case when conversation.low_id = viewer then conversation.high_id
      else conversation.low_id end as id
  ) as other
  left join public.conversation_readers as mine
    on mine.conversation_id = conversation.id and mine.user_id = viewer
  left join public.conversation_readers as theirs
    on theirs.conversation_id = conversation.id and theirs.user_id = other.id;
$$;
grant execute on function private.conversation_json(public.conversations, uuid) to authenticated;

-- Numbers a message, under the lock of its conversation. Sent again, with the same id by the same
-- sender, it is left out: the first one stands. Services may write history.
create or replace function private.accept_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  low uuid := least(new.sender_id, new.recipient_id);
  high uuid := greatest(new.sender_id, new.recipient_id);
  free_at timestamptz;
begin
  if not private.is_service() and new.sender_id is distinct from auth.uid() then
    raise exception 'FORBIDDEN' using errcode = '42501';
  end if;
  if exists (
    select 1 from public.messages
    where id = new.id and sender_id = new.sender_id and recipient_id = new.recipient_id
  ) then
    return null;
  end if;
  if not private.is_service() then
    if not private.can_message(new.sender_id, new.recipient_id) then
      raise exception 'CONVERSATION_CLOSED' using errcode = '42501';
    end if;
    select created_at + interval '1 minute' into free_at
    from public.messages
    where sender_id = new.sender_id and created_at > clock_timestamp() - interval '1 minute'
    order by created_at desc
    offset 29 limit 1;
    if found then
      raise exception 'TOO_MANY_REQUESTS' using errcode = 'P0001',
        detail = ceil(extract(epoch from free_at - clock_timestamp())) || ' s';
    end if;
  end if;

  insert into public.conversations (low_id, high_id) values (low, high)
  on conflict (low_id, high_id) do nothing;
  select id into new.conversation_id from public.conversations
  where low_id = low and high_id = high
  for no key update;
  if exists (select 1 from public.messages where id = new.id and sender_id = new.sender_id) then
    return null;
  end if;
  if not private.is_service() then
    new.created_at := clock_timestamp();
  end if;
  update public.conversations
  set last_number = last_number + 1, last_message_at = new.created_at
  where id = new.conversation_id
  returning last_number into new.number;
  return new;
end;
$$;

create or replace trigger accept_message
before insert on public.messages
for each row execute function private.accept_message();

-- Moves how far someone is in a conversation; the caller has it locked. `read` may go back where
-- `may_go_back`. Gives by how much their unread messages changed.
create or replace function private.move_reader(
  conversation public.conversations,
  person uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  before integer;
  after integer;
begin
  select read_number into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = person;
  insert into public.conversation_readers as earlier
    (conversation_id, user_id, read_number, delivered_number)
  values (conversation.id, person, coalesce(read, 0), greatest(read, delivered, 0))
  on conflict (conversation_id, user_id) do update
  set
    read_number = case
      when read is null then earlier.read_number
      when may_go_back then read
      else greatest(earlier.read_number, read)
    end,
    delivered_number = greatest(earlier.delivered_number, read, delivered)
  returning read_number into after;
  return coalesce(before, 0) - after;
end;
$$;

-- Tells someone's devices how a conversation is now.
create or replace function private.tell_conversation(
  conversation public.conversations,
  person uuid,
  unread_delta integer,
  message jsonb
)
returns void
language sql set search_path = ''
as $$
  select private.publish(
    'user:' || person,
    case when message is null then 'conversation.changed' else 'direct_message.created' end,
    jsonb_build_object(
      'conversation', private.conversation_json(conversation, person),
      'unreadDelta', unread_delta
    ) || case when message is null then '{}' else jsonb_build_object('message', message) end
  )
  where person is not null;
$$;

-- A new message: told to the devices of both; its sender has read so far. The recipient is notified
-- once until they have read.
create or replace function private.after_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
  sender_delta integer;
  told jsonb := private.direct_message_json(new);
begin
  select * into conversation from public.conversations where id = new.conversation_id;
  sender_delta := private.move_reader(conversation, new.sender_id, new.number, new.number, false);
  if new.read_at is not null then
    perform private.move_reader(conversation, new.recipient_id, new.number, new.number, false);
  end if;
  if current_setting('homeroom.quiet', true) = 'on' then
    return null;
  end if;
  -- The message itself was one more to read, and isn't for who wrote it.
  perform private.tell_conversation(conversation, new.sender_id, sender_delta + 1, told);
  perform private.tell_conversation(conversation, new.recipient_id, 1, told);
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', new.recipient_id,
    'type', 'message',
    'title', format('New messages from %s', private.person_json(new.sender_id) ->> 'name'),
    'message', private.excerpt(new.content),
    'related_entity_type', 'conversation',
    'related_entity_id', conversation.id,
    'dedupe_key', format('conversation %s after %s', conversation.id, coalesce((
      select read_number from public.conversation_readers
      where conversation_id = conversation.id and user_id = new.recipient_id
    ), 0)),
    'data', jsonb_build_object('sender_id', new.sender_id, 'message_number', new.number)
  )));
  return null;
end;
$$;

create or replace trigger after_message
after insert on public.messages
for each row execute function private.after_message();

-- The caller's conversation with someone, locked; raises CONVERSATION_NOT_FOUND.
create or replace function private.lock_conversation(other uuid) returns public.conversations
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations;
begin
  select * into conversation from public.conversations
  where low_id = least(auth.uid(), other) and high_id = greatest(auth.uid(), other)
  for no key update;
  if not found then
    raise exception 'CONVERSATION_NOT_FOUND' using errcode = 'P0002';
  end if;
  return conversation;
end;
$$;

-- How far the caller is in the conversation with someone: `read` up to a number (null: unchanged),
-- `delivered` to one of their devices; back only where `may_go_back`. Told to their own devices
-- and, where both want receipts, to the other's. Gives the conversation.
create or replace function private.mark_conversation(
  other uuid,
  read integer,
  delivered integer,
  may_go_back boolean
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  conversation public.conversations := private.lock_conversation(other);
  me uuid := auth.uid();
  before public.conversation_readers;
  after public.conversation_readers;
  delta integer;
begin
  select * into before from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  delta := private.move_reader(
    conversation, me,
    case when read is not null then least(read, conversation.last_number) end,
    case when delivered is not null then least(delivered, conversation.last_number) end,
    may_go_back
  );
  select * into after from public.conversation_readers
  where conversation_id = conversation.id and user_id = me;
  if after is distinct from before then
    if delta <> 0 then
      perform private.tell_conversation(conversation, me, delta, null);
    end if;
    if private.shares_receipts(me, other) then
      update public.messages
      set read_at = clock_timestamp()
      where conversation_id = conversation.id
        and recipient_id = me
        and read_at is null
        and number <= after.read_number;
      perform private.tell_conversation(conversation, other, 0, null);
    end if;
  end if;
  if read is not null and not may_go_back then
    update public.notifications
    set read_at = clock_timestamp()
    where user_id = me
      and read_at is null
      and related_entity_type = 'conversation'
      and related_entity_id = conversation.id
      and coalesce((data ->> 'message_number')::integer, 0) <= after.read_number;
  end if;
  return private.conversation_json(conversation, me);
end;
$$;
grant execute on function private.mark_conversation(uuid, integer, integer, boolean)
to authenticated;
-- <<< messages/write.sql

-- >>> monitoring/minutes.sql
grant select on private.monitoring_minutes to authenticated;
grant select on private.browser_errors to authenticated;

-- The sum of two histograms, bucket by bucket; one that is empty counts as zeros.
create or replace function private.add_buckets(one bigint[], other bigint[]) returns bigint[]
language sql immutable
as $$
  select coalesce(array_agg(coalesce(a, 0) + coalesce(b, 0) order by position), '{}')
  from unnest(one, other) with ordinality as pair (a, b, position);
$$;

-- The caller, an administrator, looks at the system's page: what is counted in the next minute is told.
create or replace function private.watch_monitoring() returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  delete from private.monitoring_watchers where until < now() - interval '1 hour';
  insert into private.monitoring_watchers (user_id, until)
  values (auth.uid(), now() + interval '1 minute')
  on conflict (user_id) do update set until = excluded.until;
end;
$$;
grant execute on function private.watch_monitoring() to authenticated;

-- Adds what a portal has counted since it last did so to the present minute. `figures` has the
-- columns of `monitoring_minutes`; tabs are the most at once. Administrators who look are told. For the API's own role only.
create or replace function private.add_monitoring(portal text, figures jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  added private.monitoring_minutes := jsonb_populate_record(null::private.monitoring_minutes, figures);
begin
  insert into private.monitoring_minutes as known
  values (
    date_trunc('minute', clock_timestamp()), portal, added.calls, added.failed_calls,
    added.call_buckets, added.tabs, added.live_tabs, added.opened, added.failed, added.lost,
    added.recovered, added.messages, added.screen_buckets, added.live_seconds,
    added.still_seconds, added.live_actions, added.still_actions, added.browser_errors
  )
  on conflict (minute, source) do update
  set
    calls = known.calls + excluded.calls,
    failed_calls = known.failed_calls + excluded.failed_calls,
    call_buckets = private.add_buckets(known.call_buckets, excluded.call_buckets),
    tabs = greatest(known.tabs, excluded.tabs),
    live_tabs = greatest(known.live_tabs, excluded.live_tabs),
    opened = known.opened + excluded.opened,
    failed = known.failed + excluded.failed,
    lost = known.lost + excluded.lost,
    recovered = known.recovered + excluded.recovered,
    messages = known.messages + excluded.messages,
    screen_buckets = private.add_buckets(known.screen_buckets, excluded.screen_buckets),
    live_seconds = known.live_seconds + excluded.live_seconds,
    still_seconds = known.still_seconds + excluded.still_seconds,
    live_actions = known.live_actions + excluded.live_actions,
    still_actions = known.still_actions + excluded.still_actions,
    browser_errors = known.browser_errors + excluded.browser_errors;
  -- That there is something new; what it is, they ask: much of it is sums.
  perform private.publish('user:' || watcher.user_id, 'monitoring.changed', '{}')
  from private.monitoring_watchers as watcher
  join public.users on users.id = watcher.user_id and users.role = 'admin' and users.is_active
  where watcher.until > now();
end;
$$;

-- Remembers an error of a browser; the same one again is counted. At most a thousand kinds: what
-- comes beyond them is counted and not described. For the API's own role only.
create or replace function private.note_browser_error(
  portal text,
  place text,
  message text,
  path text
)
returns void
language sql security definer set search_path = ''
as $$
  insert into private.browser_errors as known (fingerprint, source, place, message, path, occurrences)
  select
    encode(sha256(convert_to(concat_ws(chr(31), portal, place, message), 'UTF8')), 'hex'),
    portal, place, message, path, 1
  where (select count(*) from private.browser_errors) < 1000
  on conflict (fingerprint) do update
  set occurrences = known.occurrences + 1, last_seen_at = clock_timestamp(), path = excluded.path;
$$;

-- What waits to be done, by name, and how much of it: for administrators and scrapers.
create or replace function private.queue_depths() returns table (queue text, depth bigint)
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not private.is_service() and not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  return query
  select 'live_flushes', count(*) from private.live_flushes
  union all
  select 'notification_failures', count(*) from private.notification_failures
  where created_at > now() - interval '1 day'
  union all
  select 'unsent_digests', count(*) from private.notification_digests
  where status = 'queued'
  union all
  select 'expired_notifications', count(*) from public.notifications where expires_at <= now()
  union all
  select 'unmatched_payments', (
    select count(*) from private.payment_events
    where outcome = 'unmatched' and received_at > now() - interval '30 days'
  ) + (
    select count(*) from private.subscription_events
    where outcome = 'unmatched' and received_at > now() - interval '30 days'
  );
end;
$$;
grant execute on function private.queue_depths() to authenticated;

-- What monitoring has kept long enough goes. Gives the number of rows removed. Run daily.
create or replace function private.tidy_monitoring() returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  removed bigint := 0;
  part bigint;
begin
  delete from private.job_runs where finished_at < now() - interval '14 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.monitoring_minutes where minute < now() - interval '30 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.browser_errors where last_seen_at < now() - interval '30 days';
  get diagnostics part = row_count;
  removed := removed + part;
  delete from private.service_key_log where created_at < now() - interval '1 year';
  get diagnostics part = row_count;
  return removed + part;
end;
$$;
-- <<< monitoring/minutes.sql

-- >>> monitoring/run-job.sql
grant select on private.jobs to authenticated;
grant select on private.job_runs to authenticated;

-- Rows that are changed in place, again and again.
alter table private.jobs set (fillfactor = 50);

-- Runs a job of the list and records how it went: what pg_cron and the local stack call. Never two
-- runs of a job at once (then null). A job that fails is undone and recorded, and doesn't fail the
-- run itself, so that the record stays. Gives what the job gave, or how many rows it touched.
create or replace function private.run_job(job_name text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  job private.jobs;
  began timestamptz := clock_timestamp();
  answer text;
  touched bigint := 0;
  fault text;
begin
  select * into job from private.jobs where name = job_name;
  if not found then
    raise exception 'There is no job "%"', job_name using errcode = 'P0002';
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('job ' || job_name, 0)) then
    return null;
  end if;
  begin
    if job.statement ilike 'select %' then
      execute job.statement into answer;
      touched := coalesce(substring(answer from '^\d{1,18}$'), '0')::bigint;
    else
      execute job.statement;
      get diagnostics touched = row_count;
    end if;
    -- What is told at commit is told here, so that its failure is the job's.
    set constraints all immediate;
  exception when query_canceled or others then
    fault := left(format('%s (%s)', sqlerrm, sqlstate), 1000);
  end;
  perform private.record_job_run(job, began, touched, fault);
  if fault is not null then
    raise warning 'Job % failed: %', job_name, fault;
  end if;
  return touched;
end;
$$;

-- Keeps how a run went. What runs every few seconds leaves a row only when it fails, and changes
-- its line in the list only when it did something, or every half minute.
create or replace function private.record_job_run(
  job private.jobs,
  began timestamptz,
  touched bigint,
  fault text
)
returns void
language plpgsql set search_path = ''
as $$
declare
  ended timestamptz := clock_timestamp();
  is_quick boolean := job.schedule like '% seconds';
begin
  if fault is not null then
    update private.job_runs
    set finished_at = ended, repeats = repeats + 1
    where id = (select max(id) from private.job_runs where name = job.name)
      and not is_ok
      and error = fault;
  end if;
  if (fault is not null and not found) or (fault is null and not is_quick) then
    insert into private.job_runs (name, started_at, finished_at, is_ok, row_count, error)
    values (job.name, began, ended, fault is null, touched, fault);
  end if;
  if is_quick and fault is null and touched = 0 and job.last_ok
    and job.last_finished_at > ended - interval '30 seconds'
  then
    return;
  end if;
  update private.jobs
  set
    last_finished_at = ended,
    last_ok = fault is null,
    last_rows = touched,
    last_ms = extract(epoch from ended - began) * 1000,
    last_error = coalesce(fault, last_error),
    last_failed_at = case when fault is null then last_failed_at else ended end,
    failures = failures + (fault is not null)::integer
  where name = job.name;
end;
$$;
-- <<< monitoring/run-job.sql

-- >>> notifications/boxes.sql
-- Where a notification is follows from two moments: archived, snoozed, else in the inbox. Its owner
-- sets them, by the API or by REST. The moment of archiving is the server's, the first one stays;
-- one is snoozed until a moment to come, at most a year away. History that is imported
-- (`homeroom.quiet`) may have been snoozed until any moment.
create or replace function private.check_box() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.archived_at is not null then
    new.archived_at := coalesce(old.archived_at, clock_timestamp());
  end if;
  if new.snoozed_until is distinct from old.snoozed_until
    and (new.snoozed_until <= clock_timestamp()
      or new.snoozed_until > clock_timestamp() + interval '1 year')
  then
    raise exception 'SNOOZE_OUT_OF_RANGE' using errcode = '22023';
  end if;
  return new;
end;
$$;

create or replace trigger check_box
before update of archived_at, snoozed_until on public.notifications
for each row
when ((new.archived_at is not null or new.snoozed_until is not null)
  and current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.check_box();

-- Brings back what was snoozed until now: unread, on top of the inbox; its owners are told. Gives
-- how many came back. Run every ten seconds, and not too many at once: many choose eight o'clock,
-- and their topics are locked until all of them are told. What expires while it is snoozed doesn't
-- come back.
create or replace function private.wake_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  woken integer;
begin
  update public.notifications
  set snoozed_until = null, woken_at = clock_timestamp(), read_at = null
  where id in (
    select id from public.notifications
    where snoozed_until <= now()
      and (expires_at is null or expires_at > now())
    order by snoozed_until
    limit 5000
    for no key update skip locked
  );
  get diagnostics woken = row_count;
  return woken;
end;
$$;

-- Both moments are the owner's.
grant update (archived_at, snoozed_until) on public.notifications to authenticated;
-- <<< notifications/boxes.sql

-- >>> notifications/changes.sql
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
-- <<< notifications/changes.sql

-- >>> notifications/functions.sql
-- Locks the head of a user's topic until the transaction ends: nobody else tells the user anything
-- meanwhile. A transaction that goes on to publish elsewhere after this no
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
-- is `data.course_id`. Locks the recipient. Inside a transaction of the database's own, use
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

-- Marks everything in the caller's inbox as read that doesn't stand above what they have seen, and
-- tells it in one event. What is archived or snoozed stays as it is: nobody saw it. The place that
-- they name is one of the inbox: its moment is a notification's `listed_at`. Gives the number of notifications that became read. Locks the caller's topic. It
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
      and box = 'inbox'
      and read_at is null
      and (listed_at, id) <= (through_created_at, through_id)
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
      and box = 'inbox'
      and read_at is null
      and (listed_at, id) <= (through_created_at, through_id);
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

-- Removes what was read and is older than 30 days (90 when it was archived, so meant to be kept),
-- what is older than 90 days, and what has expired; gives the number removed. What is snoozed is
-- promised to come back, and counts as new when it does. Run daily. For services and operators only.
create or replace function public.cleanup_old_notifications() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  removed integer;
begin
  delete from public.notifications
  where id in (
    select id from public.notifications
    where (listed_at < now() - interval '30 days' and read_at is not null and box = 'inbox')
      or (listed_at < now() - interval '90 days' and box <> 'snoozed')
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
    'expiresAt', private.iso_time(notification.expires_at),
    'archivedAt', private.iso_time(notification.archived_at),
    'snoozedUntil', private.iso_time(notification.snoozed_until),
    'listedAt', private.iso_time(notification.listed_at)
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

-- The advisory lock of who writes somebody's notifications: one of a thousand, so that a transaction
-- that notifies a whole school doesn't fill the table of locks.
create or replace function private.recipient_lock(person text) returns bigint
language sql immutable
as $$
  select hashtextextended('recipient', hashtextextended(person, 0) & 1023);
$$;

-- Writes notifications and gives their events. It locks the recipients until the transaction ends
-- (in one order, and a thousand locks at most, however many they are), so nobody else merges at the
-- same time. What a recipient doesn't want is left out, what has a known dedupe key too. A repeat
-- within a minute for the same recipient, type and course goes into the unread one that is in the
-- inbox. It waits for no row: one that is being changed by someone else is left alone, and a new one
-- is written; so this can't be part of a deadlock.
create or replace function private.write_notifications(intents jsonb) returns jsonb
language plpgsql
as $$
declare
  moment timestamptz;
  events jsonb := '[]';
  wanted public.notifications;
  written jsonb;
  is_merged boolean;
  is_repeat boolean;
  course_title text;
  setting text;
begin
  if intents = '[]' then
    return events;
  end if;
  if jsonb_array_length(intents) = 1 then
    setting := pg_advisory_xact_lock(private.recipient_lock(intents -> 0 ->> 'user_id'));
  else
    intents := private.group_intents(intents);
    perform pg_advisory_xact_lock(lock)
    from (
      select distinct private.recipient_lock(value ->> 'user_id') as lock
      from jsonb_array_elements(intents)
      order by lock
    ) as recipient;
  end if;
  moment := clock_timestamp();
  setting := set_config('homeroom.telling', 'by hand', true);
  for at in 0 .. jsonb_array_length(intents) - 1 loop
    wanted := jsonb_populate_record(null::public.notifications, intents -> at);
    wanted.count := coalesce(wanted.count, 1);
    is_merged := private.is_merged(wanted.type)
      and wanted.course_id is not null
      and wanted.dedupe_key is null;
    is_repeat := false;
    if is_merged then
      course_title := wanted.data ->> 'course_title';
      if course_title is null then
        select title into course_title from public.courses where id = wanted.course_id;
      end if;
      update public.notifications as earlier
      set
        count = earlier.count + wanted.count,
        title = private.merged_title(wanted.type),
        message = private.merged_message(
          wanted.type, earlier.count + wanted.count, course_title
        ),
        data = earlier.data || coalesce(wanted.data, '{}'),
        related_entity_type = wanted.related_entity_type,
        related_entity_id = wanted.related_entity_id
      where earlier.id = (
          select id from public.notifications
          where user_id = wanted.user_id
            and box = 'inbox'
            and read_at is null
            and listed_at > moment - interval '1 minute'
            and woken_at is null
            and type = wanted.type
            and course_id = wanted.course_id
          order by listed_at desc, id desc
          limit 1
          for no key update skip locked
        )
        -- The course's own first: the index has them in this order.
        and coalesce((
          select enabled from public.notification_preferences
          where user_id = wanted.user_id and type = wanted.type and channel = 'app'
            and (course_id is null or course_id = wanted.course_id)
          order by course_id
          limit 1
        ), true)
      returning private.notification_json(earlier) into written;
      is_repeat := found;
    end if;
    if not is_repeat then
      if is_merged and wanted.count > 1 then
        wanted.title := private.merged_title(wanted.type);
        wanted.message := private.merged_message(wanted.type, wanted.count, course_title);
      end if;
      insert into public.notifications (
        user_id, type, level, title, message, data, course_id, related_entity_type,
        related_entity_id, count, dedupe_key, created_at, expires_at
      )
      select
        wanted.user_id, wanted.type, coalesce(wanted.level, 'info'), wanted.title, wanted.message,
        coalesce(wanted.data, '{}'), wanted.course_id, wanted.related_entity_type,
        wanted.related_entity_id, wanted.count, wanted.dedupe_key, moment, wanted.expires_at
      where coalesce((
        select enabled from public.notification_preferences
        where user_id = wanted.user_id and type = wanted.type and channel = 'app'
          and (course_id is null or course_id = wanted.course_id)
        order by course_id
        limit 1
      ), true)
      on conflict (user_id, dedupe_key) where dedupe_key is not null do nothing
      returning private.notification_json(notifications) into written;
      if not found then
        continue;
      end if;
    end if;
    events := events || jsonb_build_object(
      'topic', 'user:' || wanted.user_id,
      'event', case when is_repeat then 'notification.updated' else 'notification.created' end,
      'payload', jsonb_build_object('notification', written, 'unreadDelta', (not is_repeat)::integer)
    );
  end loop;
  setting := set_config('homeroom.telling', '', true);
  return events;
end;
$$;
-- <<< notifications/write.sql

-- >>> payments/record.sql
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
-- <<< payments/record.sql

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
grant select, insert (user_id, is_invisible), update (is_invisible) on public.presence_settings
to authenticated;

-- Whether one person may see of another whether they are online: they share a course, and none has
-- blocked the other.
create or replace function private.sees_contact(viewer uuid, person uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (
    select 1 from public.message_blocks
    where (blocker_id, blocked_id) in ((viewer, person), (person, viewer))
  ) and exists (
    select 1
    from private.memberships(viewer) as own
    join private.memberships(person) as theirs using (course_id)
  );
$$;

-- Whether someone has a portal open: 'online', 'away' or 'offline', as which the invisible appear;
-- and when they last were seen there, if they aren't. For whom `sees_contact` lets.
create or replace function private.contact_json(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'userId', person,
    'status', coalesce((
      select nullif(status, 'hidden') from private.presence_leases
      where topic = 'user:' || person and user_id = person
    ), 'offline'),
    'lastSeenAt', (
      select private.iso_time(last_seen_at) from public.student_presence
      where user_id = person and course_id is null and workshop_id is null
    )
  );
$$;

-- The caller's contacts: those of their hundred newest conversations, or the one who is asked for.
create or replace function private.contacts_of(person uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.contact_json(contact)), '[]')
  from (
    select contacts_of.person as contact where contacts_of.person is not null
    union all
    select contact from private.newest_contacts(auth.uid()) as contact
    where contacts_of.person is null
  ) as contacts
  where private.sees_contact(auth.uid(), contact);
$$;
grant execute on function private.contacts_of(uuid) to authenticated;

-- With whom someone has their hundred newest conversations.
create or replace function private.newest_contacts(person uuid) returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select contact
  from (
    select case when low_id = person then high_id else low_id end as contact
    from public.conversations
    where low_id = person or high_id = person
    order by last_message_at desc
    limit 100
  ) as newest
  where contact is not null;
$$;

-- Tells those with whom someone writes, and who have a portal open themselves, whether they are there.
create or replace function private.tell_contacts(person uuid) returns void
language sql security definer set search_path = ''
as $$
  select private.publish('user:' || contact, 'contact.changed', private.contact_json(person))
  from private.newest_contacts(person) as contact
  where exists (
    select 1 from private.presence_leases
    where topic = 'user:' || contact and user_id = contact
  ) and private.sees_contact(contact, person);
$$;

-- Tells that someone is somewhere, or isn't any more: each of up to a hundred by name; beyond it,
-- only the number, once a second, by `tell_crowds`. The staff of a workshop is told of everybody.
create or replace function private.tell_presence(place text, person uuid, status text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if place like 'user:%' then
    perform private.tell_contacts(person);
    return;
  end if;
  if (select count(*) from private.presence_leases where topic = place) > 100 then
    insert into private.presence_crowds (topic) values (place) on conflict (topic) do nothing;
  else
    perform private.publish(
      place,
      'presence.changed',
      jsonb_build_object('person', private.person_json(person), 'status', status)
    );
  end if;
  if place like 'workshop:%' then
    perform private.publish(
      place || ':staff',
      'presence.changed',
      jsonb_build_object('userId', person, 'status', status)
    );
  end if;
end;
$$;

-- Tells how many there are where there are many. Run each second.
create or replace function private.tell_crowds() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  crowds text[];
begin
  with told as (delete from private.presence_crowds returning topic)
  select array_agg(topic) into crowds from told;
  perform private.publish(
    crowd,
    'presence.counted',
    jsonb_build_object(
      'onlineCount', (select count(*) from private.presence_leases where topic = crowd)
    )
  )
  from unnest(crowds) as crowd;
  return coalesce(cardinality(crowds), 0);
end;
$$;

-- Keeps the row that outlives a visit: the last status, and when someone was last seen.
create or replace function private.keep_last_seen(place text, person uuid, status text) returns void
language sql security definer set search_path = ''
as $$
  insert into public.student_presence (user_id, course_id, workshop_id, status, last_seen_at)
  select
    person,
    case split_part(place, ':', 1) when 'course' then split_part(place, ':', 2)::uuid end,
    case split_part(place, ':', 1) when 'workshop' then split_part(place, ':', 2)::uuid end,
    status,
    clock_timestamp()
  where split_part(place, ':', 1) in ('course', 'workshop', 'user')
  on conflict (user_id, course_id, workshop_id) do update
  set
    status = excluded.status,
    last_seen_at = case
      when excluded.status = 'offline' then student_presence.last_seen_at
      else excluded.last_seen_at
    end;
$$;

-- A tab of the caller's says that they are somewhere: 'online' in front, 'away' behind or idle,
-- 'leaving' when it closes, which counts in 23 seconds unless the next page says otherwise, or
-- another tab, which does so every 20. For readers of the topic; who is invisible is nowhere, and in
-- the portal as a whole, `user:<uid>`, 'hidden': they are still told of others.
create or replace function private.keep_presence(place text, tab_status text) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  moment timestamptz := clock_timestamp();
  before text;
  after text;
begin
  if not private.can_read_topic(place, me) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  if tab_status = 'leaving' then
    update private.presence_leases
    set seen_at = least(seen_at, moment - interval '22 seconds')
    where topic = place and user_id = me;
    return;
  end if;
  if exists (select 1 from public.presence_settings where user_id = me and is_invisible) then
    if place not like 'user:%' then
      perform private.end_presence(array[place], array[me]);
      return;
    end if;
    tab_status := 'hidden';
  end if;
  select status into before from private.presence_leases where topic = place and user_id = me;
  insert into private.presence_leases as lease (topic, user_id, status, seen_at, online_at)
  values (place, me, tab_status, moment, moment)
  on conflict (topic, user_id) do update
  set
    seen_at = excluded.seen_at,
    online_at = case tab_status when 'online' then excluded.online_at else lease.online_at end,
    status = case
      when tab_status = 'away' and lease.online_at < moment - interval '40 seconds' then 'away'
      when tab_status in ('online', 'hidden') or lease.status = 'hidden' then tab_status
      else lease.status
    end
  returning status into after;
  if after <> 'hidden' then
    perform private.keep_last_seen(place, me, after);
  end if;
  if after is distinct from before then
    perform private.tell_presence(place, me, after);
  end if;
  if place like 'workshop:%' then
    perform private.seen_in_workshop(split_part(place, ':', 2)::uuid, me, moment);
  end if;
end;
$$;
grant execute on function private.keep_presence(text, text) to authenticated;

-- Ends leases: `places` and `people` are pairs.
create or replace function private.end_presence(places text[], people uuid[]) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  gone record;
  ended integer := 0;
begin
  for gone in
    delete from private.presence_leases
    using unnest(places, people) as leaving (place, person)
    where topic = place and user_id = person
    returning topic, user_id, status
  loop
    if gone.status <> 'hidden' then
      perform private.keep_last_seen(gone.topic, gone.user_id, 'offline');
      perform private.tell_presence(gone.topic, gone.user_id, 'offline');
    end if;
    ended := ended + 1;
  end loop;
  return ended;
end;
$$;

-- Ends the presence of those whose lease ran out, such as a killed browser's: within a minute, since
-- it is run every ten seconds. Gives how many.
create or replace function private.end_ghost_presence() returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  places text[];
  people uuid[];
begin
  select array_agg(topic), array_agg(user_id) into places, people
  from (
    select topic, user_id from private.presence_leases
    where seen_at < clock_timestamp() - interval '45 seconds'
    for update skip locked
  ) as ghosts;
  update public.student_presence
  set status = 'offline'
  where id in (
    select id from public.student_presence
    where status <> 'offline' and last_seen_at < now() - interval '90 seconds'
    for update skip locked
  );
  return private.end_presence(places, people);
end;
$$;

-- Who is somewhere, for its readers: `{ onlineCount, people }`; `people` is null beyond a hundred.
create or replace function private.presence_of(place text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  total integer;
begin
  if not private.can_read_topic(place, auth.uid()) then
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  select count(*) into total from private.presence_leases where topic = place;
  return jsonb_build_object(
    'onlineCount', total,
    'people', case when total <= 100 then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'person', private.person_json(user_id), 'status', status
      )), '[]')
      from private.presence_leases
      where topic = place
    ) end
  );
end;
$$;
grant execute on function private.presence_of(text) to authenticated;
-- <<< presence/presence.sql

-- >>> presence/typing.sql
-- The caller is writing, in a thread or to a person: told at once on the topic of those who see it,
-- without a number, since nobody needs to hear of it later. By the database, which alone speaks on a
-- topic: so the name is the server's, and nobody can be seen to write who doesn't. Not told of or
-- to whom wants no typing to be seen, of who is invisible, nor where there is a crowd. For those who
-- may write there; others get what writing itself would raise.
create or replace function private.tell_typing(place text) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  subject uuid := split_part(place, ':', 2)::uuid;
  thread public.discussion_threads;
begin
  if exists (select 1 from public.message_settings where user_id = me and not shows_typing)
    or exists (select 1 from public.presence_settings where user_id = me and is_invisible)
  then
    return;
  end if;
  if place like 'thread:%' then
    perform private.check_reads_thread(subject);
    select * into thread from public.discussion_threads where id = subject;
    perform private.check_may_write(thread, me);
    if (select count(*) from private.presence_leases where topic = place) > 100 then
      return;
    end if;
  elsif place like 'user:%' then
    if not private.can_message(me, subject) then
      raise exception 'CONVERSATION_CLOSED' using errcode = '42501';
    end if;
    if exists (select 1 from public.message_settings where user_id = subject and not shows_typing)
    then
      return;
    end if;
  else
    raise exception 'TOPIC_FORBIDDEN' using errcode = '42501';
  end if;
  perform realtime.send(
    jsonb_build_object('person', private.person_json(me)),
    'typing',
    private.channel_of(
      place,
      coalesce((select epoch from private.live_topics where topic = place), 0)
    ),
    true
  );
end;
$$;
grant execute on function private.tell_typing(text) to authenticated;
-- <<< presence/typing.sql

-- >>> progress/access.sql
-- Where a lesson is, and where the student stands who is about to do something in it.
do $$
begin
  if to_regtype('private.lesson_place') is null then
    create type private.lesson_place as (
      lesson_id uuid,
      lesson_title text,
      kind text,
      revision integer,
      quiz jsonb,
      time_cap_seconds integer,
      module_id uuid,
      module_title text,
      course_id uuid,
      course_title text,
      course_version integer,
      enrollment_id uuid,
      status text
    );
  end if;
end;
$$;

-- What counts in a course, and in one module of it, and how much of that a student has done.
do $$
begin
  if to_regtype('private.course_count') is null then
    create type private.course_count as (
      required integer,
      done integer,
      module_required integer,
      module_done integer
    );
  end if;
end;
$$;

-- Finds a lesson for a student who may do it, or raises why not: LESSON_NOT_FOUND,
-- ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED. Holds the course as it is, and locks the student's
-- enrollment, until the transaction ends.
create or replace function private.enter_lesson(student uuid, lesson uuid)
returns private.lesson_place
language plpgsql
as $$
declare
  place private.lesson_place;
  is_published boolean;
begin
  select modules.course_id into place.course_id
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  where lessons.id = lesson;
  if not found then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  end if;
  perform private.hold_course(place.course_id, false);
  select id, status into place.enrollment_id, place.status
  from public.enrollments
  where user_id = student and course_id = place.course_id and status <> 'cancelled'
  for no key update;
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  -- Read again: what was changed before the course was held counts.
  select
    lessons.id, lessons.title, lessons.kind, lessons.revision, lessons.quiz,
    -- Three times what the author says it takes, and ten minutes for the shortest.
    greatest(lessons.duration_minutes * 3, 10) * 60,
    modules.id, modules.title, courses.title, courses.version,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into
    place.lesson_id, place.lesson_title, place.kind, place.revision, place.quiz,
    place.time_cap_seconds, place.module_id, place.module_title, place.course_title,
    place.course_version, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson;
  if is_published is not true then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return place;
end;
$$;

-- Counts what counts, of a course and of one of its modules.
create or replace function private.count_course(student uuid, course uuid, module uuid)
returns private.course_count
language plpgsql stable
as $$
declare
  counted private.course_count;
begin
  select
    count(*),
    count(done.lesson_id),
    count(*) filter (where required.module_id = module),
    count(done.lesson_id) filter (where required.module_id = module)
  into counted
  from private.required_lessons(course) as required
  left join public.lesson_completions as done
    on done.user_id = student and done.lesson_id = required.lesson_id;
  return counted;
end;
$$;
-- <<< progress/access.sql

-- >>> progress/complete.sql
-- Completes a lesson for a student, and all that follows from it: lesson, module, enrollment,
-- course, certificate, totals, points, achievements, feed, events and one notification. One
-- transaction, safe to repeat, safe at the same moment from many places: the student's enrollment is
-- locked first. Refuses with a reason: LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED,
-- QUIZ_NOT_PASSED. `seconds` is what the student was there since it was last reported.
create or replace function private.complete_lesson_for(student uuid, lesson uuid, seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  place private.lesson_place := private.enter_lesson(student, lesson);
  counted private.course_count;
  is_new boolean;
  has_module boolean := false;
  spent integer;
  stats public.learning_stats;
  points integer := 0;
  finished jsonb;
  earned jsonb;
  told jsonb;
begin
  if place.kind = 'quiz' and not exists (
    select 1 from public.quiz_attempts
    where user_id = student and lesson_id = lesson and is_passed
  ) then
    raise exception 'QUIZ_NOT_PASSED' using errcode = 'P0001';
  end if;
  if seconds > 0 then
    perform private.credit_time(student, lesson, seconds, null);
  end if;
  select least(time_spent_seconds, place.time_cap_seconds) into spent
  from public.lesson_progress where user_id = student and lesson_id = lesson;
  spent := coalesce(spent, 0);

  insert into public.lesson_completions (user_id, lesson_id, time_spent_seconds)
  values (student, lesson, spent)
  on conflict do nothing;
  is_new := found;
  counted := private.count_course(student, place.course_id, place.module_id);
  if counted.module_required > 0 and counted.module_done = counted.module_required then
    insert into public.module_completions (user_id, module_id)
    values (student, place.module_id)
    on conflict do nothing;
    has_module := found;
  end if;

  if is_new then
    update public.enrollments
    set progress = floor(100.0 * counted.done / greatest(counted.required, 1))
    where id = place.enrollment_id and status = 'active';
    stats := private.count_lesson(student, spent);
    points := private.award_points(student, jsonb_build_array(jsonb_build_object(
      'course', place.course_id,
      'reason', 'time',
      'subject', lesson,
      'tenths', stats.total_time_spent - (stats.time_spent_seconds - spent) / 60
    )));
  end if;
  if counted.required > 0 and counted.done = counted.required and place.status = 'active' then
    finished := private.finish_course(student, place.course_id);
    points := points + (finished ->> 'points')::integer;
  end if;
  if is_new or finished is not null then
    earned := private.earn_achievements(student);
    points := points + (earned ->> 'points')::integer;
  end if;
  told := private.completion_json(student, place, counted);
  if earned is not null then
    perform private.tell_completion(student, place, told, is_new, has_module, finished, earned, points);
  end if;
  return told
    || jsonb_build_object(
      'isNew', is_new,
      'isModuleCompleted', has_module,
      'isCourseCompleted', finished is not null,
      'certificate', finished -> 'certificate',
      'achievements', coalesce(earned -> 'achievements', '[]'),
      'points', round(points / 10.0, 1)
    );
end;
$$;

-- The same, for whoever is signed in. One call is the whole of it.
create or replace function public.complete_lesson(lesson_id uuid, seconds integer default 0)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if auth.uid() is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  return private.complete_lesson_for(auth.uid(), complete_lesson.lesson_id, complete_lesson.seconds);
end;
$$;
grant execute on function public.complete_lesson(uuid, integer) to authenticated;
-- <<< progress/complete.sql

-- >>> progress/course_page.sql
-- How far the caller is in a course, and in each lesson that they have done or tried. Raises
-- ENROLLMENT_REQUIRED. One statement, so that it is of one moment with the topic's number beside it.
create or replace function public.course_progress(course_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  student uuid := auth.uid();
  progress jsonb;
begin
  select
    private.progress_json(
      enrollment, course.version, private.count_course(student, course.id, null)
    ) || jsonb_build_object(
      'courseId', course.id,
      'enrolledAt', private.iso_time(enrollment.enrolled_at),
      'lessons', private.lesson_states(student, course.id),
      'completedModuleIds', coalesce((
        select jsonb_agg(module.id order by module.id)
        from public.modules as module
        join public.module_completions as done
          on done.module_id = module.id and done.user_id = student
        where module.course_id = course.id
      ), '[]'),
      'certificate', (
        select private.certificate_json(certificate)
        from public.certificates as certificate
        where certificate.user_id = student and certificate.course_id = course.id
      )
    )
  into progress
  from public.enrollments as enrollment
  join public.courses as course on course.id = enrollment.course_id
  where enrollment.user_id = student
    and enrollment.course_id = course_progress.course_id
    and enrollment.status <> 'cancelled';
  if not found then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return progress;
end;
$$;
grant execute on function public.course_progress(uuid) to authenticated;

-- A student's state in each lesson of a course that they have done or tried: all that events tell.
create or replace function private.lesson_states(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'lessonId', lesson.id,
        'completedAt', private.iso_time(done.completed_at),
        'attempts', coalesce(progress.attempts, 0),
        'bestScore', progress.best_score
      )
      order by lesson.id
    ),
    '[]'
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  left join public.lesson_completions as done
    on done.lesson_id = lesson.id and done.user_id = student
  left join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course
    and (done.lesson_id is not null or progress.attempts > 0);
$$;

-- The students of a course, the newest enrollment first, after a place in that order (null: from the
-- first). For its staff; raises COURSE_NOT_FOUND for others.
create or replace function public.course_roster(
  course_id uuid,
  before timestamptz,
  before_id uuid,
  most integer
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.check_author(course_roster.course_id);
  return (
    select coalesce(
      jsonb_agg(private.roster_row(page) order by page.enrolled_at desc, page.id desc), '[]'
    )
    from (
      select *
      from public.enrollments as enrollment
      where enrollment.course_id = course_roster.course_id
        and enrollment.status <> 'cancelled'
        and (
          course_roster.before is null
          or (enrollment.enrolled_at, enrollment.id) < (course_roster.before, course_roster.before_id)
        )
      order by enrollment.enrolled_at desc, enrollment.id desc
      limit most
    ) as page
  );
end;
$$;
grant execute on function public.course_roster(uuid, timestamptz, uuid, integer) to authenticated;

-- A student in the roster of a course.
create or replace function private.roster_row(enrollment public.enrollments) returns jsonb
language sql stable
as $$
  select private.progress_json(
    enrollment, null, private.count_course(enrollment.user_id, enrollment.course_id, null)
  ) || jsonb_build_object(
    'enrollmentId', enrollment.id,
    'userId', person.id,
    'name', private.display_name(person.first_name, person.last_name),
    'avatarUrl', person.avatar_url,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'certificate', (
      select private.certificate_json(certificate)
      from public.certificates as certificate
      where certificate.user_id = enrollment.user_id
        and certificate.course_id = enrollment.course_id
    )
  ) || private.roster_scores(enrollment.user_id, enrollment.course_id) || (
    select jsonb_build_object(
      'lastActiveAt', private.iso_time(max(done.completed_at)),
      'timeSpentSeconds', coalesce(sum(progress.time_spent_seconds), 0)
    )
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = enrollment.user_id
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = enrollment.user_id
    where module.course_id = enrollment.course_id
  )
  from public.users as person
  where person.id = enrollment.user_id;
$$;
-- <<< progress/course_page.sql

-- >>> progress/lesson_page.sql
-- What a lesson teaches, and how far the caller is in it; for those who are enrolled, and its
-- staff. Raises LESSON_NOT_FOUND, ENROLLMENT_REQUIRED, LESSON_UNPUBLISHED.
create or replace function public.lesson_page(lesson_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  reader uuid := auth.uid();
  course uuid;
  is_staff boolean;
  is_published boolean;
begin
  select
    modules.course_id,
    lessons.is_published and modules.is_published and courses.status <> 'draft'
  into course, is_published
  from public.lessons
  join public.modules on modules.id = lessons.module_id
  join public.courses on courses.id = modules.course_id
  where lessons.id = lesson_page.lesson_id;
  is_staff := private.is_course_staff(course, reader);
  if course is null then
    raise exception 'LESSON_NOT_FOUND' using errcode = 'P0002';
  elsif not private.is_course_member(course, reader) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  elsif not is_published and not is_staff then
    raise exception 'LESSON_UNPUBLISHED' using errcode = 'P0001';
  end if;
  return (
    select jsonb_build_object(
      'id', lesson.id,
      'courseId', course,
      'moduleId', lesson.module_id,
      'title', lesson.title,
      'kind', lesson.kind,
      'content', lesson.content,
      'videoUrl', lesson.video_url,
      'captionsUrl', lesson.captions_url,
      'attachments', lesson.attachments,
      'durationMinutes', lesson.duration_minutes,
      'isRequired', lesson.is_required,
      'revision', lesson.revision,
      'quiz', private.quiz_for(
        lesson.quiz, is_staff or private.may_see_answers(reader, lesson.id, lesson.quiz)
      ),
      'completedAt', private.iso_time(done.completed_at),
      'place', coalesce(progress.place, 0),
      'timeSpentSeconds', coalesce(progress.time_spent_seconds, 0),
      'bestScore', progress.best_score,
      'attemptsLeft', (lesson.quiz ->> 'attemptsMax')::integer - coalesce(progress.attempts, 0),
      'attempts', coalesce((
        select jsonb_agg(private.attempt_json(attempt) order by attempt.number)
        from public.quiz_attempts as attempt
        where attempt.user_id = reader and attempt.lesson_id = lesson.id
      ), '[]')
    )
    from public.lessons as lesson
    left join public.lesson_completions as done
      on done.lesson_id = lesson.id and done.user_id = reader
    left join public.lesson_progress as progress
      on progress.lesson_id = lesson.id and progress.user_id = reader
    where lesson.id = lesson_page.lesson_id
  );
end;
$$;
grant execute on function public.lesson_page(uuid) to authenticated;

-- Counts time of the caller in a lesson, and remembers their place in it (0–1; null: where it was).
-- Gives the seconds that were credited. Raises what `lesson_page` raises.
create or replace function public.report_time(lesson_id uuid, seconds integer, place real)
returns integer
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (
    select 1
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    join public.enrollments on enrollments.course_id = modules.course_id
    where lessons.id = report_time.lesson_id
      and lessons.is_published
      and modules.is_published
      and enrollments.user_id = auth.uid()
      and enrollments.status <> 'cancelled'
  ) then
    raise exception 'ENROLLMENT_REQUIRED' using errcode = '42501';
  end if;
  return private.credit_time(auth.uid(), report_time.lesson_id, seconds, report_time.place);
end;
$$;
grant execute on function public.report_time(uuid, integer, real) to authenticated;
-- <<< progress/lesson_page.sql

-- >>> progress/quiz.sql
-- Refuses what is no quiz, whoever writes it: QUIZ_INVALID, with what is wrong in the detail.
create or replace function private.check_quiz(quiz jsonb) returns void
language plpgsql
as $$
declare
  question jsonb;
  wrong text;
begin
  wrong := case
    when jsonb_typeof(quiz -> 'questions') is distinct from 'array'
      or jsonb_array_length(quiz -> 'questions') not between 1 and 100
      then 'It takes 1 to 100 questions.'
    when (quiz ->> 'passPercent')::numeric not between 0 and 100
      or quiz ->> 'passPercent' is null
      then 'passPercent lies between 0 and 100.'
    when (quiz ->> 'attemptsMax')::integer not between 1 and 100
      then 'attemptsMax lies between 1 and 100, or is null.'
    when (
      select count(distinct value ->> 'id') <> count(*) from jsonb_array_elements(quiz -> 'questions')
    ) then 'Each question needs an id of its own.'
  end;
  for question in
    select value from jsonb_array_elements(quiz -> 'questions') where wrong is null
  loop
    wrong := coalesce(wrong, case
      when coalesce(trim(question ->> 'prompt'), '') = '' then 'A question asks nothing.'
      when (question ->> 'points')::integer between 1 and 100 is not true
        then 'A question gives 1 to 100 points.'
      when question ->> 'kind' = 'short' and jsonb_array_length(question -> 'accepted') > 0 then null
      when question ->> 'kind' in ('single', 'multiple')
        and jsonb_array_length(question -> 'choices') between 2 and 20
        and (
          select jsonb_agg(choice -> 'id') from jsonb_array_elements(question -> 'choices') as choice
        ) @> (question -> 'correct')
        and jsonb_array_length(question -> 'correct') >= 1
        and (question ->> 'kind' = 'multiple' or jsonb_array_length(question -> 'correct') = 1)
        then null
      else 'The answers of a question don''t fit its kind.'
    end);
  end loop;
  if wrong is not null then
    raise exception 'QUIZ_INVALID' using errcode = '23514', detail = wrong;
  end if;
exception
  when invalid_text_representation or invalid_parameter_value or numeric_value_out_of_range then
    raise exception 'QUIZ_INVALID' using errcode = '23514', detail = sqlerrm;
end;
$$;

create or replace function private.check_lesson_quiz() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.check_quiz(new.quiz);
  return new;
end;
$$;
create or replace trigger check_lesson_quiz
before insert or update of quiz on public.lessons
for each row when (new.quiz is not null)
execute function private.check_lesson_quiz();

-- A short answer without what doesn't matter: case, and spaces around and between words.
create or replace function private.plain_text(answer text) returns text
language sql immutable
as $$
  select lower(trim(regexp_replace(answer, '\s+', ' ', 'g')));
$$;

-- Whether a question is answered right: exactly the correct choices, or one of the accepted texts.
create or replace function private.is_right(question jsonb, answer jsonb) returns boolean
language sql immutable
as $$
  select coalesce(case
    when question ->> 'kind' = 'short' then jsonb_typeof(answer) = 'string' and exists (
      select 1 from jsonb_array_elements_text(question -> 'accepted') as accepted
      where private.plain_text(accepted) = private.plain_text(answer #>> '{}')
    )
    else jsonb_typeof(answer) = 'array'
      and answer @> (question -> 'correct') and (question -> 'correct') @> answer
  end, false);
$$;

-- Hands in an attempt of the caller at a quiz: scores it, keeps the best score, and completes the
-- lesson with all that follows when it is passed. `answers` holds ids of choices or a text by the
-- question's id; `revision` is that of the lesson which was answered. Refuses with a reason, besides
-- those of `complete_lesson`: NOT_A_QUIZ, QUIZ_CHANGED (nothing is counted), ATTEMPTS_EXHAUSTED.
create or replace function public.submit_quiz(
  lesson_id uuid,
  revision integer,
  answers jsonb,
  seconds integer default 0
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_variable
declare
  student uuid := auth.uid();
  place private.lesson_place;
  had public.lesson_progress;
  attempt public.quiz_attempts;
  completion jsonb;
begin
  if student is null then
    raise exception 'SESSION_REQUIRED' using errcode = '42501';
  end if;
  if jsonb_typeof(answers) is distinct from 'object' or octet_length(answers::text) > 65536 then
    raise exception 'INPUT_INVALID' using errcode = '22023';
  end if;
  place := private.enter_lesson(student, lesson_id);
  if place.kind <> 'quiz' then
    raise exception 'NOT_A_QUIZ' using errcode = 'P0001';
  elsif place.revision <> revision then
    raise exception 'QUIZ_CHANGED' using errcode = 'P0001';
  end if;
  perform private.credit_time(student, lesson_id, coalesce(seconds, 0), null);
  select * into had from public.lesson_progress as progress
  where progress.user_id = student and progress.lesson_id = place.lesson_id;
  if had.attempts >= (place.quiz ->> 'attemptsMax')::integer then
    raise exception 'ATTEMPTS_EXHAUSTED' using errcode = 'P0001';
  end if;

  attempt := private.score_attempt(student, place, answers, had.attempts + 1);
  update public.lesson_progress as progress
  set attempts = attempt.number, best_score = greatest(had.best_score, attempt.score)
  where progress.user_id = student and progress.lesson_id = place.lesson_id;
  update public.learning_stats as stats
  set average_score = (
    select avg(progress.best_score) from public.lesson_progress as progress
    where progress.user_id = student
  )
  where stats.user_id = student;
  perform private.award_points(student, jsonb_build_array(jsonb_build_object(
    'course', place.course_id,
    'reason', 'quiz',
    'subject', place.lesson_id,
    'turn', attempt.number,
    'tenths', greatest(round(attempt.score) - coalesce(round(had.best_score), 0), 0)
  )));
  perform private.publish('user:' || student, 'quiz.submitted', jsonb_build_object(
    'courseId', place.course_id,
    'lessonId', place.lesson_id,
    'attempts', attempt.number,
    'bestScore', greatest(had.best_score, attempt.score),
    'score', attempt.score,
    'isPassed', attempt.is_passed
  ));
  if attempt.is_passed then
    completion := private.complete_lesson_for(student, place.lesson_id, 0);
  end if;
  return jsonb_build_object(
    'attempt', private.attempt_json(attempt),
    'bestScore', greatest(had.best_score, attempt.score),
    'attemptsLeft', (place.quiz ->> 'attemptsMax')::integer - attempt.number,
    'quiz', private.quiz_for(place.quiz, private.may_see_answers(student, place.lesson_id, place.quiz)),
    'completion', completion
  );
end;
$$;
grant execute on function public.submit_quiz(uuid, integer, jsonb, integer) to authenticated;

-- Scores answers, and keeps them as an attempt.
create or replace function private.score_attempt(
  student uuid,
  place private.lesson_place,
  answers jsonb,
  number integer
)
returns public.quiz_attempts
language plpgsql
as $$
declare
  results jsonb;
  score numeric;
  attempt public.quiz_attempts;
begin
  select
    jsonb_object_agg(question ->> 'id', is_right),
    round(
      100.0 * coalesce(sum((question ->> 'points')::integer) filter (where is_right), 0)
        / sum((question ->> 'points')::integer),
      2
    )
  into results, score
  from jsonb_array_elements(place.quiz -> 'questions') as question
  cross join lateral private.is_right(question, answers -> (question ->> 'id')) as is_right;
  insert into public.quiz_attempts (
    user_id, lesson_id, number, revision, answers, results, score, is_passed
  )
  values (
    student, place.lesson_id, number, place.revision, answers, results, score,
    score >= (place.quiz ->> 'passPercent')::numeric
  )
  returning * into attempt;
  return attempt;
end;
$$;

-- An attempt, as its student and the staff see it.
create or replace function private.attempt_json(attempt public.quiz_attempts) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'number', attempt.number,
    'revision', attempt.revision,
    'answers', attempt.answers,
    'results', attempt.results,
    'score', attempt.score,
    'isPassed', attempt.is_passed,
    'submittedAt', private.iso_time(attempt.submitted_at)
  );
$$;

-- Whether a student may see the answers: after they passed, or when no attempt is left.
create or replace function private.may_see_answers(student uuid, lesson uuid, quiz jsonb)
returns boolean
language sql stable
as $$
  select count(*) > 0
    and (bool_or(is_passed) or count(*) >= (quiz ->> 'attemptsMax')::integer is true)
  from public.quiz_attempts
  where user_id = student and lesson_id = lesson;
$$;

-- A quiz as a student sees it: with the answers and explanations only where they may see them.
create or replace function private.quiz_for(quiz jsonb, with_answers boolean) returns jsonb
language sql immutable
as $$
  select case
    when quiz is null or with_answers then quiz
    else quiz || jsonb_build_object('questions', (
      select jsonb_agg(question - 'correct' - 'accepted' - 'explanation' order by position)
      from jsonb_array_elements(quiz -> 'questions') with ordinality as asked (question, position)
    ))
  end;
$$;
-- <<< progress/quiz.sql

-- >>> progress/roster.sql
-- How well a student does in the quizzes of a course: what the roster shows, and its event tells.
create or replace function private.roster_scores(student uuid, course uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'averageScore', round(avg(progress.best_score), 2),
    'quizzes', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'lessonId', lesson.id,
          'title', lesson.title,
          'bestScore', progress.best_score,
          'attempts', progress.attempts
        )
        order by module.position, lesson.position
      ),
      '[]'
    )
  )
  from public.modules as module
  join public.lessons as lesson on lesson.module_id = module.id
  join public.lesson_progress as progress
    on progress.lesson_id = lesson.id and progress.user_id = student
  where module.course_id = course and progress.best_score is not null;
$$;

-- A quiz was scored: the staff's roster shows how the student does now.
create or replace function private.tell_roster_scores() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  course uuid := (
    select modules.course_id
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    where lessons.id = new.lesson_id
  );
begin
  perform private.publish(
    'course:' || course || ':staff',
    'scores.changed',
    jsonb_build_object('userId', new.user_id) || private.roster_scores(new.user_id, course)
  );
  return null;
end;
$$;

create or replace trigger tell_roster_scores
after update of attempts on public.lesson_progress
for each row
when (
  old.attempts <> new.attempts
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_scores();

-- Somebody is no longer, or again, among the students of a course. (Of a new enrollment the feed
-- tells.)
create or replace function private.tell_roster_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || old.course_id || ':staff',
    'enrollment.changed',
    jsonb_build_object(
      'userId', old.user_id,
      'isEnrolled', tg_op = 'UPDATE' and new.status <> 'cancelled'
    )
  );
  return null;
end;
$$;

create or replace trigger tell_roster_cancelled
after update of status on public.enrollments
for each row
when (
  (old.status = 'cancelled') <> (new.status = 'cancelled')
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();

create or replace trigger tell_roster_deleted
after delete on public.enrollments
for each row
when (
  old.status <> 'cancelled'
  and current_setting('homeroom.quiet', true) is distinct from 'on'
)
execute function private.tell_roster_membership();
-- <<< progress/roster.sql

-- >>> progress/tell.sql
-- How far a student is in a course, with the reason. Who has finished is as far as they were then.
create or replace function private.progress_json(
  enrollment public.enrollments,
  version integer,
  counted private.course_count
)
returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'courseVersion', coalesce(enrollment.course_version, version),
    'status', enrollment.status,
    'doneCount', coalesce(enrollment.required_count, counted.done),
    'requiredCount', coalesce(enrollment.required_count, counted.required),
    'progressPercent', enrollment.progress,
    'completedAt', private.iso_time(enrollment.completed_at)
  );
$$;

-- What a completion gives back to who asked for it, and what `lesson.completed` tells. (In
-- plpgsql, as all here that reads rows and runs with every completion: Postgres 17 plans the
-- statements of an SQL function anew for each call, which costs more than they do.)
create or replace function private.completion_json(
  student uuid,
  place private.lesson_place,
  counted private.course_count
)
returns jsonb
language plpgsql stable
as $$
declare
  enrollment public.enrollments;
  completed_at timestamptz;
begin
  select * into enrollment from public.enrollments where id = place.enrollment_id;
  select done.completed_at into completed_at
  from public.lesson_completions as done
  where done.user_id = student and done.lesson_id = place.lesson_id;
  return jsonb_build_object(
    'courseId', place.course_id,
    'moduleId', place.module_id,
    'lessonId', place.lesson_id,
    'completedAt', private.iso_time(completed_at),
    'progress', private.progress_json(enrollment, place.course_version, counted)
  );
end;
$$;

drop function if exists private.tell_completion(
  uuid, private.lesson_place, jsonb, boolean, jsonb, jsonb, integer
);
-- Tells of a completion (`told` is its JSON): the student's devices, the staff of the course with its
-- feed, where the lesson is new in it, and the student once, about the greatest of what the click has
-- brought.
create or replace function private.tell_completion(
  student uuid,
  place private.lesson_place,
  told jsonb,
  is_new boolean,
  has_module boolean,
  finished jsonb,
  earned jsonb,
  points integer
)
returns void
language plpgsql
as $$
declare
  achievements jsonb := earned -> 'achievements';
  student_name text := (
    select private.display_name(first_name, last_name) from public.users where id = student
  );
begin
  insert into public.student_activity (user_id, course_id, activity_type, data)
  select student, place.course_id, what, data
  from (values
    ('completed_lesson', is_new, jsonb_build_object(
      'lesson_id', place.lesson_id, 'lesson_title', place.lesson_title
    )),
    ('completed_module', has_module, jsonb_build_object(
      'module_id', place.module_id, 'module_title', place.module_title
    ))
  ) as happened (what, is_so, data)
  where is_so;

  perform private.publish('user:' || student, 'lesson.completed', told || jsonb_build_object(
    'isModuleCompleted', has_module,
    'certificate', finished -> 'certificate',
    'points', round(points / 10.0, 1)
  ));
  perform private.publish(
    'course:' || place.course_id || ':staff',
    'progress.changed',
    told -> 'progress' || jsonb_build_object(
      'userId', student,
      'studentName', student_name,
      'lastActiveAt', told -> 'completedAt'
    )
  );
  if finished is not null then
    perform private.tell_course_finished(
      student, place.course_id, finished || jsonb_build_object('achievements', achievements)
    );
  elsif achievements <> '[]' then
    perform private.tell_achievements(student, place.course_id, achievements);
  else
    perform private.tell_lesson(student, place, has_module);
  end if;
end;
$$;

-- The notification of a lesson, or of the module that it was the last one of.
create or replace function private.tell_lesson(
  student uuid,
  place private.lesson_place,
  has_module boolean
)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'lesson_completion',
    'level', 'success',
    'title', case when has_module then 'Module Completed!' else 'Lesson Completed!' end,
    'message', case
      when has_module then format(
        'Great job! "%s" was the last lesson of "%s".', place.lesson_title, place.module_title
      )
      else format('Great job! You''ve completed "%s".', place.lesson_title)
    end,
    'course_id', place.course_id,
    'related_entity_type', 'lesson',
    'related_entity_id', place.lesson_id,
    'dedupe_key', 'lesson:' || place.lesson_id,
    'data', jsonb_build_object(
      'course_id', place.course_id,
      'course_title', place.course_title,
      'lesson_id', place.lesson_id,
      'lesson_title', place.lesson_title
    )
  )));
end;
$$;

-- Tells a student that they have finished a course: the event of the certificate, and one
-- notification, with the achievements that came with it. `finished` is what `finish_course` gave.
-- (The instructors hear of it from the enrollment's own trigger.)
create or replace function private.tell_course_finished(student uuid, course uuid, finished jsonb)
returns void
language plpgsql
as $$
declare
  certificate jsonb := finished -> 'certificate';
  achievements jsonb := coalesce(finished -> 'achievements', '[]');
  course_title text := (select title from public.courses where id = course);
begin
  perform private.publish('user:' || student, 'certificate.issued', jsonb_build_object(
    'certificate', certificate || jsonb_build_object('courseTitle', course_title)
  ));
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'certificate',
    'level', 'success',
    'title', 'Course Completed!',
    'message', format(
      'Congratulations! You''ve completed "%s", and your certificate is ready.', course_title
    ) || case
      when achievements = '[]' then ''
      else ' Unlocked: ' || private.titles_of(achievements) || '.'
    end,
    'course_id', course,
    'related_entity_type', 'certificate',
    'related_entity_id', certificate ->> 'id',
    'dedupe_key', 'course:' || course,
    'data', jsonb_build_object(
      'course_id', course,
      'course_title', course_title,
      'serial_number', certificate ->> 'serialNumber',
      'achievements', achievements
    )
  )));
end;
$$;

-- "First step, Well read": the titles of achievements.
create or replace function private.titles_of(achievements jsonb) returns text
language sql immutable
as $$
  select string_agg(value ->> 'title', ', ' order by position)
  from jsonb_array_elements(achievements) with ordinality as achievement (value, position);
$$;

-- The notification of achievements that nothing greater came with.
create or replace function private.tell_achievements(student uuid, course uuid, achievements jsonb)
returns void
language plpgsql
as $$
begin
  perform private.notify(jsonb_build_array(jsonb_build_object(
    'user_id', student,
    'type', 'achievement',
    'level', 'success',
    'title', 'Achievement Unlocked!',
    'message', case jsonb_array_length(achievements)
      when 1 then format('You''ve unlocked the "%s" achievement!', achievements -> 0 ->> 'title')
      else format('You''ve unlocked: %s.', private.titles_of(achievements))
    end,
    'course_id', course,
    'related_entity_type', 'achievement',
    'dedupe_key', 'achievement:' || (achievements -> 0 ->> 'key'),
    'data', jsonb_build_object('achievements', achievements)
  )));
end;
$$;
-- <<< progress/tell.sql

-- >>> progress/totals.sql
-- Counts time in a lesson: never more than has gone by since this student last reported any (two
-- tabs can't count the same minute), two minutes for a first report, and nothing beyond an hour. In
-- which place of the lesson they are is kept with it; null leaves it. Gives the seconds credited.
create or replace function private.credit_time(
  student uuid,
  lesson uuid,
  seconds integer,
  place real
)
returns integer
language plpgsql
as $$
declare
  elapsed integer;
  credited integer;
begin
  insert into public.learning_stats (user_id) values (student) on conflict do nothing;
  select ceil(extract(epoch from clock_timestamp() - time_reported_at)) into elapsed
  from public.learning_stats where user_id = student
  for no key update;
  credited := greatest(least(seconds, coalesce(elapsed, 120), 3600), 0);
  update public.learning_stats set time_reported_at = clock_timestamp() where user_id = student;
  insert into public.lesson_progress as progress (user_id, lesson_id, time_spent_seconds, place)
  values (student, lesson, credited, coalesce(credit_time.place, 0))
  on conflict (user_id, lesson_id) do update
  set
    time_spent_seconds = progress.time_spent_seconds + credited,
    place = coalesce(credit_time.place, progress.place);
  return credited;
end;
$$;

-- Counts a lesson done: one more, the time in it, and the day in the student's own time zone.
create or replace function private.count_lesson(student uuid, seconds integer)
returns public.learning_stats
language plpgsql
as $$
declare
  today date := (
    select (now() at time zone users.time_zone)::date from public.users where id = student
  );
  streak integer;
  stats public.learning_stats;
begin
  select
    case
      when last_active_day >= today then current_streak_days
      when last_active_day = today - 1 then current_streak_days + 1
      else 1
    end
  into streak
  from public.learning_stats where user_id = student
  for no key update;
  streak := coalesce(streak, 1);
  insert into public.learning_stats as earlier (
    user_id, lessons_completed, time_spent_seconds, total_time_spent, current_streak_days,
    longest_streak_days, last_active_day, last_active_at
  )
  values (student, 1, seconds, seconds / 60, streak, streak, today, now())
  on conflict (user_id) do update
  set
    lessons_completed = earlier.lessons_completed + 1,
    time_spent_seconds = earlier.time_spent_seconds + seconds,
    total_time_spent = (earlier.time_spent_seconds + seconds) / 60,
    current_streak_days = streak,
    longest_streak_days = greatest(earlier.longest_streak_days, streak),
    last_active_day = greatest(earlier.last_active_day, today),
    last_active_at = now()
  returning * into stats;
  return stats;
end;
$$;

-- Finishes a course for a student who has done all that counts: the enrollment, one certificate, the
-- totals and the points. The caller has the enrollment locked and tells of it. What was written once
-- stays: a second time changes nothing. Gives `{ certificate: { id, serialNumber, issuedAt },
-- points }`, points in tenths.
create or replace function private.finish_course(student uuid, course uuid) returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  certificate public.certificates;
  is_new boolean;
  points integer;
begin
  update public.enrollments
  set
    status = 'completed',
    progress = 100,
    completed_at = coalesce(completed_at, now()),
    course_version = (select version from public.courses where id = course),
    required_count = (select count(*) from private.required_lessons(course))
  where user_id = student and course_id = course and status = 'active';
  insert into public.certificates (user_id, course_id)
  values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into certificate;
  is_new := found;
  if not is_new then
    select * into certificate from public.certificates
    where user_id = student and course_id = course;
  end if;
  insert into public.learning_stats as stats (user_id, courses_completed, certificates_earned)
  values (student, 1, is_new::integer)
  on conflict (user_id) do update
  set
    courses_completed = stats.courses_completed + 1,
    certificates_earned = stats.certificates_earned + is_new::integer;
  points := private.award_points(student, jsonb_build_array(
    jsonb_build_object('course', course, 'reason', 'course', 'subject', course, 'tenths', 1000),
    jsonb_build_object(
      'course', course, 'reason', 'certificate', 'subject', certificate.id, 'tenths', 500
    )
  ));
  return jsonb_build_object(
    'certificate', private.certificate_json(certificate), 'points', points
  );
end;
$$;

create or replace trigger touch_updated_at
before update on public.lesson_progress
for each row execute function private.touch_updated_at();
-- <<< progress/totals.sql

-- >>> reviews/replies.sql
-- What students write of a course, and nothing else of the row.
grant insert (user_id, course_id, rating, comment), update (rating, comment), delete
on public.course_reviews to authenticated;

-- The staff of a course replies to a review, or takes the reply back with an empty one. Gives false
-- where there is no such review for the caller.
create or replace function public.reply_to_review(review_id uuid, reply text) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update public.course_reviews as review
  set
    reply = btrim(reply_to_review.reply),
    replied_by = case when btrim(reply_to_review.reply) <> '' then auth.uid() end,
    replied_at = case when btrim(reply_to_review.reply) <> '' then now() end
  where review.id = review_id and review.course_id in (select private.taught_course_ids());
  return found;
end;
$$;
grant execute on function public.reply_to_review(uuid, text) to authenticated;

-- The course's members are told that its reviews have changed; what they say is read where it is
-- shown.
create or replace function private.tell_reviews() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.publish(
    'course:' || case tg_op when 'DELETE' then old.course_id else new.course_id end,
    'reviews.changed',
    '{}'
  );
  return null;
end;
$$;

create or replace trigger tell_reviews
after insert or update or delete on public.course_reviews
for each row
when (current_setting('homeroom.quiet', true) is distinct from 'on')
execute function private.tell_reviews();
-- <<< reviews/replies.sql

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

-- >>> services/acting.sql
-- What services may do for people: the functions that people's own calls end in.
grant execute on function private.complete_lesson_for(uuid, uuid, integer) to service_role;

-- Enrolls somebody in a published course, whatever it costs: who calls it has seen to that. An
-- enrollment that was cancelled begins again, with what was learned before. Safe to repeat; tells
-- what an enrollment of one's own tells. Raises USER_NOT_FOUND, COURSE_NOT_FOUND.
create or replace function private.enroll_for(student uuid, course uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  enrollment public.enrollments;
  is_new boolean;
begin
  if not exists (select 1 from public.users where id = student and is_active) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  if not exists (select 1 from public.courses where id = course and status = 'published') then
    raise exception 'COURSE_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.enrollments (user_id, course_id) values (student, course)
  on conflict (user_id, course_id) do nothing
  returning * into enrollment;
  is_new := found;
  if not is_new then
    update public.enrollments set status = 'active'
    where user_id = student and course_id = course and status = 'cancelled'
    returning * into enrollment;
    is_new := found;
    if not is_new then
      select * into enrollment from public.enrollments
      where user_id = student and course_id = course;
    end if;
  end if;
  return jsonb_build_object(
    'userId', student,
    'courseId', course,
    'status', enrollment.status,
    'enrolledAt', private.iso_time(enrollment.enrolled_at),
    'isNew', is_new
  );
end;
$$;
grant execute on function private.enroll_for(uuid, uuid) to service_role;
-- <<< services/acting.sql

-- >>> services/keys.sql
-- Administrators see all of a key but its hash.
grant select (
  id, name, prefix, scopes, calls_per_minute, created_by, created_at, expires_at, revoked_at,
  last_used_at
) on private.service_keys to authenticated;
grant select on private.service_key_log to authenticated;

-- Makes a key of which only the hash is known here, and gives its id. For administrators.
create or replace function private.create_service_key(
  name text,
  prefix text,
  key_hash text,
  scopes text[],
  calls_per_minute integer,
  expires_at timestamptz
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  made uuid;
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  insert into private.service_keys (
    name, prefix, key_hash, scopes, calls_per_minute, expires_at, created_by
  )
  values (
    create_service_key.name, create_service_key.prefix, create_service_key.key_hash,
    create_service_key.scopes, create_service_key.calls_per_minute, create_service_key.expires_at,
    auth.uid()
  )
  returning id into made;
  return made;
end;
$$;
grant execute on function private.create_service_key(text, text, text, text[], integer, timestamptz)
to authenticated;

-- Ends a key at once; once revoked, a key stays so. False when there is no such key, or it was
-- revoked before. For administrators.
create or replace function private.revoke_service_key(key uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_admin() then
    raise exception 'ROLE_FORBIDDEN' using errcode = '42501';
  end if;
  update private.service_keys set revoked_at = clock_timestamp()
  where id = key and revoked_at is null;
  return found;
end;
$$;
grant execute on function private.revoke_service_key(uuid) to authenticated;

-- Whoever makes or revokes a key, it is in the log.
create or replace function private.log_service_key_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into private.service_key_log (key_id, action, actor_id)
  values (new.id, case tg_op when 'INSERT' then 'created' else 'revoked' end, auth.uid());
  return null;
end;
$$;

create or replace trigger log_service_key_created
after insert on private.service_keys
for each row execute function private.log_service_key_change();

create or replace trigger log_service_key_revoked
after update of revoked_at on private.service_keys
for each row when (old.revoked_at is null and new.revoked_at is not null)
execute function private.log_service_key_change();

-- What was granted to a key and when it ended never changes afterwards; keys are never deleted.
create or replace function private.guard_service_key() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op <> 'UPDATE'
    or (old.key_hash, old.prefix, old.scopes) is distinct from (new.key_hash, new.prefix, new.scopes)
    or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  then
    raise exception 'A service key is revoked and replaced, never changed' using errcode = '42501';
  end if;
  return new;
end;
$$;

create or replace trigger guard_service_key
before update or delete on private.service_keys
for each row execute function private.guard_service_key();

-- The log only grows, whoever asks; entries older than a year may go.
create or replace function private.guard_service_key_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'DELETE' and old.created_at < now() - interval '1 year' then
    return old;
  end if;
  raise exception 'The log of service keys only grows' using errcode = '42501';
end;
$$;

create or replace trigger guard_service_key_log
before update or delete on private.service_key_log
for each row execute function private.guard_service_key_log();

create or replace trigger guard_service_key_log_whole
before truncate on private.service_key_log
for each statement execute function private.guard_service_key_log();

-- The key with this hash, if there is one, whatever its state. Remembers the use, to the minute: a
-- busy key doesn't write its row at every call. For the API's own role only.
create or replace function private.use_service_key(hash text)
returns table (
  id uuid, name text, scopes text[], calls_per_minute integer, expired boolean, revoked boolean
)
language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
begin
  update private.service_keys as used set last_used_at = moment
  where used.key_hash = hash
    and used.revoked_at is null
    and coalesce(used.expires_at > moment, true)
    and coalesce(used.last_used_at < moment - interval '1 minute', true);
  return query
    select
      found.id, found.name, found.scopes, found.calls_per_minute,
      coalesce(found.expires_at <= moment, false), found.revoked_at is not null
    from private.service_keys as found
    where found.key_hash = hash;
end;
$$;

-- Records a call that a service has made. For services: the API calls it as one.
create or replace function private.log_service_call(
  key uuid,
  procedure_name text,
  outcome text,
  subject uuid,
  request text
)
returns void
language sql security definer set search_path = ''
as $$
  insert into private.service_key_log (key_id, action, outcome, subject_id, request_id)
  values (key, procedure_name, outcome, subject, request);
$$;
grant execute on function private.log_service_call(uuid, text, text, uuid, text) to service_role;
-- <<< services/keys.sql

-- >>> subscriptions/extend.sql
-- Makes a subscription last until a moment, and gives it: a new one, or the one with this reference
-- (by default, one per person and plan). Never shortens one, so it may be repeated. Raises
-- USER_NOT_FOUND, and ALREADY_EXISTS when the reference is another person's.
create or replace function private.extend_subscription(
  person uuid,
  plan_name text,
  until timestamptz,
  source text,
  reference text
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  extended public.subscriptions;
begin
  if not exists (select 1 from public.users where id = person) then
    raise exception 'USER_NOT_FOUND' using errcode = 'P0002';
  end if;
  insert into public.subscriptions as known (
    user_id, plan, expires_at, provider, provider_reference
  )
  values (person, plan_name, until, source, coalesce(reference, person || ' ' || plan_name))
  on conflict (provider, provider_reference) do update
  set
    plan = excluded.plan,
    expires_at = greatest(known.expires_at, excluded.expires_at),
    status = case when greatest(known.expires_at, excluded.expires_at) > now() then 'active' else known.status end,
    cancelled_at = case when excluded.expires_at > known.expires_at then null else known.cancelled_at end
  where known.user_id = excluded.user_id
  returning * into extended;
  if not found then
    raise exception 'ALREADY_EXISTS' using errcode = '23505';
  end if;
  return jsonb_build_object(
    'id', extended.id,
    'userId', extended.user_id,
    'plan', extended.plan,
    'status', extended.status,
    'expiresAt', private.iso_time(extended.expires_at)
  );
end;
$$;
grant execute on function private.extend_subscription(uuid, text, timestamptz, text, text)
to service_role;
-- <<< subscriptions/extend.sql

-- >>> subscriptions/record.sql
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
-- <<< subscriptions/record.sql

-- >>> subscriptions/remind.sql
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
-- <<< subscriptions/remind.sql

CREATE POLICY "users see what can be earned" ON "achievements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (true);

CREATE POLICY "students see what they have earned" ON "user_achievements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "staff see how much happens in their courses" ON "course_activity_hours" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "staff see the figures of their courses" ON "course_stats" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "students see what they did, staff what was done in their courses" ON "student_activity" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "members see what goes to their courses" ON "announcement_courses" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "authors see what they announce, members what was sent to their courses" ON "announcements" AS PERMISSIVE FOR SELECT TO "authenticated" USING (author_id = (select auth.uid()) or (status = 'sent' and id in (select announcement_id from public.announcement_courses where course_id in (select private.joined_course_ids()))));

CREATE POLICY "people see their attendance, staff that of their workshops" ON "attendance_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "people see when they were seen, staff of their workshops" ON "workshop_presence" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their registrations, staff those of their workshops" ON "workshop_registrations" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "members of a course see its workshops" ON "workshops" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()) or is_open);

CREATE POLICY "staff of a course plan its workshops" ON "workshops" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (course_id in (select private.taught_course_ids()) and created_by = (select auth.uid()));

CREATE POLICY "staff of a course change its workshops" ON "workshops" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "staff see the drafts of their courses" ON "course_drafts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "users see who teaches the courses they see" ON "course_instructors" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or exists (select 1 from public.courses where courses.id = course_id));

CREATE POLICY "those who take part see what changed" ON "course_versions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "users see published courses, and those they take part in" ON "courses" AS PERMISSIVE FOR SELECT TO "authenticated" USING (status = 'published' or id in (select private.joined_course_ids()));

CREATE POLICY "staff see the drafts of the lessons of their courses" ON "lesson_drafts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "staff see the earlier texts of the lessons of their courses" ON "lesson_versions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.taught_course_ids()));

CREATE POLICY "users see the lessons of modules they see" ON "lessons" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((is_published and exists (select 1 from public.modules where modules.id = module_id)) or module_id in (select id from public.modules where course_id in (select private.taught_course_ids())));

CREATE POLICY "users see the modules of courses they see" ON "modules" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((is_published and exists (select 1 from public.courses where courses.id = course_id)) or course_id in (select private.taught_course_ids()));

CREATE POLICY "students see their certificates, staff those of their courses" ON "certificates" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "users decide when they are told" ON "notification_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "members of a course see its threads" ON "discussion_threads" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "members of a course open threads in their own name" ON "discussion_threads" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (created_by = (select auth.uid()) and course_id in (select private.joined_course_ids()));

CREATE POLICY "staff of a course moderate its threads" ON "discussion_threads" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "users see their reactions" ON "thread_message_reactions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users react to what they can read and is still there" ON "thread_message_reactions" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.thread_messages as message where message.id = message_id and message.deleted_at is null and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id)));

CREATE POLICY "users take their reactions back" ON "thread_message_reactions" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "reporters see their reports, staff those of their courses" ON "thread_message_reports" AS PERMISSIVE FOR SELECT TO "authenticated" USING (reporter_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "members see what messages said before, staff also of deleted ones" ON "thread_message_revisions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select 1 from public.thread_messages as message join public.discussion_threads as thread on thread.id = message.thread_id where message.id = message_id and (message.deleted_at is null or thread.course_id in (select private.taught_course_ids()))));

CREATE POLICY "members of a course see the messages of its threads" ON "thread_messages" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select true from public.discussion_threads as thread where thread.id = thread_id));

CREATE POLICY "members of a course write in its open threads in their own name" ON "thread_messages" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (sender_id = (select auth.uid()) and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id));

CREATE POLICY "senders edit their messages in open threads" ON "thread_messages" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (sender_id = (select auth.uid()) and deleted_at is null and (select thread.is_active from public.discussion_threads as thread where thread.id = thread_id)) WITH CHECK (sender_id = (select auth.uid()));

CREATE POLICY "users see how far they have read" ON "thread_readers" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see their enrollments, staff those of their courses" ON "enrollments" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "users enroll themselves in published courses without a price" ON "enrollments" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.courses where courses.id = course_id and courses.status = 'published' and courses.price_cents = 0));

CREATE POLICY "users see themselves, administrators everybody" ON "users" AS PERMISSIVE FOR SELECT TO "authenticated" USING (id = (select auth.uid()) or (select private.is_admin()));

CREATE POLICY "users change their own profile" ON "users" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (id = (select auth.uid())) WITH CHECK (id = (select auth.uid()));

CREATE POLICY "students see whether they are hidden" ON "hidden_students" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see their own points" ON "point_entries" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "readers of a topic see its head" ON "private"."live_topics" AS PERMISSIVE FOR SELECT TO "authenticated" USING (private.can_read_topic(topic, (select auth.uid())));

CREATE POLICY "users see how far they have read" ON "conversation_readers" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "the two see their conversation" ON "conversations" AS PERMISSIVE FOR SELECT TO "authenticated" USING (low_id = (select auth.uid()) or high_id = (select auth.uid()));

CREATE POLICY "members see the switch of their course" ON "course_message_settings" AS PERMISSIVE FOR SELECT TO "authenticated" USING (course_id in (select private.joined_course_ids()));

CREATE POLICY "staff set the switch" ON "course_message_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (course_id in (select private.taught_course_ids())) WITH CHECK (course_id in (select private.taught_course_ids()));

CREATE POLICY "users keep their own blocks" ON "message_blocks" AS PERMISSIVE FOR ALL TO "authenticated" USING (blocker_id = (select auth.uid())) WITH CHECK (blocker_id = (select auth.uid()));

CREATE POLICY "reporters see their reports, administrators all" ON "message_reports" AS PERMISSIVE FOR SELECT TO "authenticated" USING (reporter_id = (select auth.uid()) or (select private.is_admin()));

CREATE POLICY "users keep their own message settings" ON "message_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "sender and recipient see a message" ON "messages" AS PERMISSIVE FOR SELECT TO "authenticated" USING (sender_id = (select auth.uid()) or recipient_id = (select auth.uid()));

CREATE POLICY "users write in their own name" ON "messages" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (sender_id = (select auth.uid()));

CREATE POLICY "administrators see the errors of browsers" ON "private"."browser_errors" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the runs of jobs" ON "private"."job_runs" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the monitoring" ON "private"."monitoring_minutes" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see the jobs" ON "private"."jobs" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "users keep their own preferences" ON "notification_preferences" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()) and (course_id is null or course_id in (select private.joined_course_ids())));

CREATE POLICY "users see their own notifications" ON "notifications" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users mark their own notifications" ON "notifications" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "users remove their own notifications" ON "notifications" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "users see their payments, staff those for their courses" ON "payments" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()));

CREATE POLICY "users decide whether they are seen" ON "presence_settings" AS PERMISSIVE FOR ALL TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "users see their presence, staff that in their courses" ON "student_presence" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()) or workshop_id in (select id from public.workshops where course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their own totals" ON "learning_stats" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "students see their lessons done, staff those of their courses" ON "lesson_completions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));

CREATE POLICY "students see how far they are, staff in their courses" ON "lesson_progress" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their modules done, staff those of their courses" ON "module_completions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or module_id in (select id from public.modules where course_id in (select private.taught_course_ids())));

CREATE POLICY "students see their attempts, staff those in their courses" ON "quiz_attempts" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in (select private.taught_course_ids())));

CREATE POLICY "users see the reviews of courses they see" ON "course_reviews" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()) or course_id in (select private.taught_course_ids()) or exists (select 1 from public.courses where courses.id = course_id));

CREATE POLICY "students who are enrolled review in their own name" ON "course_reviews" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (user_id = (select auth.uid()) and exists (select 1 from public.enrollments where enrollments.user_id = (select auth.uid()) and enrollments.course_id = course_reviews.course_id and enrollments.status <> 'cancelled'));

CREATE POLICY "students change their own reviews" ON "course_reviews" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));

CREATE POLICY "students take their own reviews back" ON "course_reviews" AS PERMISSIVE FOR DELETE TO "authenticated" USING (user_id = (select auth.uid()));

CREATE POLICY "administrators see the log of service keys" ON "private"."service_key_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "administrators see service keys" ON "private"."service_keys" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select private.is_admin()));

CREATE POLICY "users see their subscriptions" ON "subscriptions" AS PERMISSIVE FOR SELECT TO "authenticated" USING (user_id = (select auth.uid()));
