/**
 * What goes in and what comes out of every procedure, by capability, with the types of it.
 * Zod only: nothing here reaches the database or the server. A browser should import types alone
 * (`import type`), and take constants from `@homeroom/api/kinds`, since zod weighs 90 kB.
 */
export * as achievements from './achievements/contract.ts';
export * as activity from './activity/contract.ts';
export * as announcements from './announcements/contract.ts';
export * as attendance from './attendance/contract.ts';
export * as authoring from './authoring/contract.ts';
export * as catalog from './catalog/contract.ts';
export * as certificates from './certificates/contract.ts';
export * as delivery from './delivery/contract.ts';
export * as discussions from './discussions/contract.ts';
export * as enrollment from './enrollment/contract.ts';
export * as identity from './identity/contract.ts';
export * as leaderboard from './leaderboard/contract.ts';
export * as live from './live/contract.ts';
export * as messages from './messages/contract.ts';
export * as monitoring from './monitoring/contract.ts';
export * as notifications from './notifications/contract.ts';
export * as presence from './presence/contract.ts';
export * as progress from './progress/contract.ts';
export * as serviceKeys from './services/keys-contract.ts';
export * as services from './services/contract.ts';
export * as reviews from './reviews/contract.ts';

export type {
  Achievement,
  AchievementEvents,
  DeclaredAchievement,
} from './achievements/contract.ts';
export type {
  Activity,
  ActivityEvents,
  ActivityFeed,
  Analytics,
  CoursePayment,
  CourseStats,
  Overview,
} from './activity/contract.ts';
export type {
  AttendanceEvents,
  AttendanceList,
  CalendarEvent,
  OwnPlace,
  Participant,
  Registration,
  Workshop,
  WorkshopCounts,
  WorkshopEvents,
  WorkshopList,
  WorkshopPlan,
  WorkshopView,
} from './attendance/contract.ts';
export type {
  Attachment,
  ContentChange,
  CourseDetails,
  CourseVersion,
  LessonAtVersion,
  LessonVersion,
  DraftEvents,
  LessonFields,
  LessonWorkbench,
  OutlineModule,
  Question,
  Quiz,
  Workbench,
} from './authoring/contract.ts';
export type {
  ContentEvents,
  ContentLesson,
  Course,
  CourseContent,
  CourseInput,
  CourseInstructor,
  CourseSummary,
  Lesson,
  OutlineLesson,
  TaughtCourse,
  TaughtCourses,
} from './catalog/contract.ts';
export type {
  Certificate,
  CertificateEvents,
  OwnCertificate,
  PublicCertificateEvents,
  VerifiedCertificate,
} from './certificates/contract.ts';
export type { Delivery } from './delivery/contract.ts';
export type {
  MessagesInput,
  Thread,
  ThreadEvents,
  ThreadList,
  ThreadListEvents,
  ThreadMessage,
  ThreadPart,
  ThreadReader,
  ThreadReaderEvents,
  ThreadReport,
  ToldMessage,
} from './discussions/contract.ts';
export type {
  Enrolled,
  Enrollment,
  EnrollmentEvents,
  EnrollmentList,
} from './enrollment/contract.ts';
export type { Person } from './identity/person-contract.ts';
export type { Me, Role, UpdateMe } from './identity/contract.ts';
export type {
  LeaderboardEntry,
  LeaderboardEvents,
  LeaderboardScope,
  LeaderboardStanding,
  LeaderboardTop,
  PointEntry,
  RankEvents,
} from './leaderboard/contract.ts';
export type { Live, LiveCursor, LiveEvent, Since } from './live/contract.ts';
export type {
  Conversation,
  ConversationList,
  ConversationPart,
  DirectMessage,
  MessageEvents,
  MessageReport,
} from './messages/contract.ts';
export type {
  Notification,
  NotificationBox,
  NotificationChannel,
  NotificationEvents,
  NotificationLevel,
  NotificationPreference,
  NotificationSnapshot,
  NotificationType,
} from './notifications/contract.ts';
export type {
  BrowserReport,
  JobState,
  LatencySummary,
  MonitoredMinute,
  MonitoringOverview,
} from './monitoring/contract.ts';
export type { KeyLogEntry, ServiceKey } from './services/keys-contract.ts';
export type { Keyset } from './pagination/contract.ts';
export type { Contact, Presence, PresenceEvents, Present } from './presence/contract.ts';
export type {
  AskedQuestion,
  AskedQuiz,
  Completion,
  CourseCount,
  CourseProgress,
  LearningStats,
  LessonState,
  ProgressEvents,
  QuizAttempt,
  RosterEvents,
  RosterRow,
  SubmittedQuiz,
} from './progress/contract.ts';
export type { Review, ReviewList } from './reviews/contract.ts';
export type { Announcement } from './announcements/contract.ts';
