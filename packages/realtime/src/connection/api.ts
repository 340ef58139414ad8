import type { ActivityApi } from '../activity/api.ts';
import type { AttendanceApi } from '../attendance/api.ts';
import type { DiscussionsApi } from '../discussions/api.ts';
import type { MessagesApi } from '../messages/api.ts';
import type { PresenceApi } from '../presence/api.ts';
import type {
  Completion,
  CourseContent,
  CourseProgress,
  DeclaredAchievement,
  LeaderboardScope,
  LeaderboardStanding,
  LeaderboardTop,
  LiveCursor,
  NotificationBox,
  NotificationSnapshot,
  NotificationType,
  RosterRow,
  SubmittedQuiz,
  VerifiedCertificate,
} from '@homeroom/api/contract';

/** One numbered event, as a tRPC client types it: JSON may leave out what is `unknown`. */
export type LiveEvent = {
  seq: number;
  event: string;
  /** The database's clock at commit, in milliseconds since 1970. */
  at: number;
  data?: unknown;
};

/**
 * What `live.since` gives: the events asked for, or that retention has removed some of them; and
 * on which channel the topic is (see `topic/channel.ts`).
 */
export type Since =
  | { status: 'events'; events: LiveEvent[]; head: number; epoch: number }
  | { status: 'too-old'; head: number; epoch: number };

/**
 * The part of the API that live topics need. Structural, so that a tRPC client satisfies it and so
 * does a model of the server in a test.
 */
export type LiveApi = {
  live: {
    epoch: { query(input: { topic: string }): Promise<{ epoch: number }> };
    since: { query(input: { topic: string; seq: number }): Promise<Since> };
  };
};

/** Which notifications are wanted; both ends of the time range are included. */
export type NotificationFilters = {
  /** The inbox when not given. */
  box?: NotificationBox;
  type?: NotificationType;
  read?: boolean;
  /** ISO moment with its zone. */
  from?: string;
  /** ISO moment with its zone. */
  to?: string;
};

/** The part of the API that the notification stores need. */
export type NotificationsApi = {
  notifications: {
    list: {
      query(
        input: NotificationFilters & { cursor?: string; limit?: number },
      ): Promise<{ data: NotificationSnapshot; cursor: LiveCursor }>;
    };
    markAsRead: { mutate(input: { id: string }): Promise<unknown> };
    markAsUnread: { mutate(input: { id: string }): Promise<unknown> };
    markAllAsRead: {
      mutate(input: { through: { createdAt: string; id: string } }): Promise<unknown>;
    };
    archive: { mutate(input: { id: string }): Promise<unknown> };
    unarchive: { mutate(input: { id: string }): Promise<unknown> };
    snooze: { mutate(input: { id: string; until: string }): Promise<unknown> };
    unsnooze: { mutate(input: { id: string }): Promise<unknown> };
    remove: { mutate(input: { id: string }): Promise<unknown> };
  };
};

/** A part of a course's roster, the newest enrollment first. */
export type RosterPage = { items: RosterRow[]; nextCursor: string | null };

type Loaded<Data> = Promise<{ data: Data; cursor: LiveCursor }>;

/** What `progress.submitQuiz` takes. `revision` is that of the lesson that was answered. */
export type QuizAnswers = {
  lessonId: string;
  revision: number;
  /** By the question's id: ids of choices, or a text. */
  answers: Record<string, string[] | string>;
  seconds?: number;
};

/** The part of the API that the learning stores need. */
export type LearningApi = {
  catalog: { content: { query(input: { courseId: string }): Loaded<CourseContent> } };
  progress: {
    course: { query(input: { courseId: string }): Loaded<CourseProgress> };
    completeLesson: { mutate(input: { lessonId: string; seconds?: number }): Promise<Completion> };
    roster: {
      query(input: { courseId: string; limit: number; cursor?: string }): Loaded<RosterPage>;
    };
    submitQuiz: { mutate(input: QuizAnswers): Promise<SubmittedQuiz> };
  };
  certificates: {
    verify: { query(input: { serialNumber: string }): Loaded<VerifiedCertificate> };
  };
  achievements: { list: { query(): Loaded<{ items: DeclaredAchievement[] }> } };
  leaderboard: {
    top: { query(input: { scope: LeaderboardScope }): Loaded<LeaderboardTop> };
    follow: { mutate(input: { scope: LeaderboardScope }): Loaded<LeaderboardStanding> };
    setHidden: { mutate(input: { isHidden: boolean }): Promise<{ isHidden: boolean }> };
  };
};

/** All that the stores of this package ask of the API; `createTRPCClient<AppRouter>()` fits. */
export type RealtimeApi = LiveApi &
  NotificationsApi &
  LearningApi &
  ActivityApi &
  AttendanceApi &
  DiscussionsApi &
  MessagesApi &
  PresenceApi;

export type { LiveCursor };
