export { reopenAfterMs } from './connection/backoff.ts';
export {
  achievements,
  type AchievementsState,
  type AchievementsStore,
} from './achievements/store.ts';
export { verifiedCertificate } from './certificates/store.ts';
export { outlineOf, type OutlineOf } from './catalog/outline.ts';
export {
  courseContent,
  type CourseContentState,
  type CourseContentStore,
  type Publication,
} from './catalog/store.ts';
export type { LiveEvent, NotificationFilters, QuizAnswers, RealtimeApi } from './connection/api.ts';
export {
  createConnection,
  type Connection,
  type ConnectionOptions,
  type ConnectionState,
  type Metrics,
} from './connection/connection.ts';
export { toChangeError, toLiveError, type LiveError } from './connection/errors.ts';
export type { ConnectionStatus } from './connection/status.ts';
export type { AccessToken } from './connection/token.ts';
export { leaderboard, type LeaderboardState, type LeaderboardStore } from './leaderboard/store.ts';
export {
  liveQuery,
  type LiveQuery,
  type LiveQueryOptions,
  type LiveQueryState,
  type LiveStatus,
  type Snapshot,
} from './live-query/live-query.ts';
export {
  openReports,
  type OpenReportsStore,
  type Report,
  type ReportPage,
} from './reports/open-reports.ts';
export { reloaded, type ReloadedOptions } from './live-query/reloaded.ts';
export type { NotificationEvent } from './notifications/events.ts';
export { boxOf } from './notifications/filters.ts';
export {
  notifications,
  type NotificationOptions,
  type NotificationsState,
  type NotificationsStore,
} from './notifications/store.ts';
export {
  courseProgress,
  type CourseProgressState,
  type CourseProgressStore,
} from './progress/store.ts';
export {
  courseRoster,
  type CourseRosterState,
  type CourseRosterStore,
} from './progress/roster-store.ts';
export type { DiscussionsApi, ThreadFilters } from './discussions/api.ts';
export {
  courseThreads,
  type CourseThreadsOptions,
  type CourseThreadsState,
  type CourseThreadsStore,
  type ListedThread,
} from './discussions/list-store.ts';
export {
  discussionThread,
  type DiscussionThreadOptions,
  type DiscussionThreadState,
  type DiscussionThreadStore,
  type OutgoingMessage,
  type ThreadPlace,
} from './discussions/thread-store.ts';
export { draftOf, type Draft } from './outbox/draft.ts';
export type { DeliveryState, Outgoing } from './outbox/outbox.ts';
export type { AttendanceApi } from './attendance/api.ts';
export {
  workshopAttendance,
  type Attendance,
  type WorkshopAttendanceState,
  type WorkshopAttendanceStore,
} from './attendance/attendance-store.ts';
export {
  workshop,
  type QueuedCheckIn,
  type WorkshopState,
  type WorkshopStore,
} from './attendance/workshop-store.ts';
export type { MessagesApi } from './messages/api.ts';
export {
  conversation,
  type ConversationOptions,
  type ConversationState,
  type ConversationStore,
  type Receipt,
  type ShownMessage,
} from './messages/conversation-store.ts';
export {
  conversations,
  type ConversationsOptions,
  type ConversationsState,
  type ConversationsStore,
} from './messages/list-store.ts';
export type { PresenceApi } from './presence/api.ts';
export { contacts, type ContactsStore } from './presence/contacts-store.ts';
export { keepPresent } from './presence/beats.ts';
export {
  presence,
  type OnlineUser,
  type Place,
  type PresenceOptions,
  type PresenceState,
  type PresenceStore,
} from './presence/store.ts';
export {
  typing,
  type TypingOptions,
  type TypingState,
  type TypingStore,
} from './presence/typing-store.ts';
export type { ActivityApi } from './activity/api.ts';
export { groupActivities, type ActivityGroup } from './activity/groups.ts';
export {
  courseStats,
  instructorRealtime,
  studentActivity,
  type CourseStatsState,
  type CourseStatsStore,
  type InstructorRealtime,
  type StudentActivityState,
  type StudentActivityStore,
} from './activity/store.ts';
