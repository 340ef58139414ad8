import type { achievements, userAchievements } from '../achievements/tables.ts';
import type { studentActivity } from '../activity/tables.ts';
import type { workshopRegistrations, workshops } from '../attendance/tables.ts';
import type {
  courseInstructors,
  courses,
  courseVersions,
  lessonDrafts,
  lessons,
  modules,
} from '../catalog/tables.ts';
import type { certificates } from '../certificates/tables.ts';
import type { discussionThreads, threadMessages } from '../discussions/tables.ts';
import type { enrollments } from '../enrollment/tables.ts';
import type { hiddenStudents, pointEntries } from '../leaderboard/tables.ts';
import type { conversations, messages } from '../messages/tables.ts';
import type { notifications } from '../notifications/tables.ts';
import type { payments } from '../payments/tables.ts';
import type { studentPresence } from '../presence/tables.ts';
import type {
  learningStats,
  lessonCompletions,
  lessonProgress,
  moduleCompletions,
  quizAttempts,
} from '../progress/tables.ts';
import type { courseReviews } from '../reviews/tables.ts';

/** The rows of the demo school by table, in an order in which they can be written. */
export type Rows = {
  courses: (typeof courses.$inferInsert)[];
  modules: (typeof modules.$inferInsert)[];
  lessons: (typeof lessons.$inferInsert)[];
  courseInstructors: (typeof courseInstructors.$inferInsert)[];
  courseVersions: (typeof courseVersions.$inferInsert)[];
  lessonDrafts: (typeof lessonDrafts.$inferInsert)[];
  achievements: (typeof achievements.$inferInsert)[];
  enrollments: (typeof enrollments.$inferInsert)[];
  payments: (typeof payments.$inferInsert)[];
  lessonCompletions: (typeof lessonCompletions.$inferInsert)[];
  lessonProgress: (typeof lessonProgress.$inferInsert)[];
  quizAttempts: (typeof quizAttempts.$inferInsert)[];
  moduleCompletions: (typeof moduleCompletions.$inferInsert)[];
  certificates: (typeof certificates.$inferInsert)[];
  learningStats: (typeof learningStats.$inferInsert)[];
  userAchievements: (typeof userAchievements.$inferInsert)[];
  pointEntries: (typeof pointEntries.$inferInsert)[];
  hiddenStudents: (typeof hiddenStudents.$inferInsert)[];
  courseReviews: (typeof courseReviews.$inferInsert)[];
  workshops: (typeof workshops.$inferInsert)[];
  workshopRegistrations: (typeof workshopRegistrations.$inferInsert)[];
  discussionThreads: (typeof discussionThreads.$inferInsert)[];
  threadMessages: (typeof threadMessages.$inferInsert)[];
  conversations: (typeof conversations.$inferInsert)[];
  messages: (typeof messages.$inferInsert)[];
  studentActivity: (typeof studentActivity.$inferInsert)[];
  notifications: (typeof notifications.$inferInsert)[];
  studentPresence: (typeof studentPresence.$inferInsert)[];
};

/** No rows yet. */
export function noRows(): Rows {
  return {
    courses: [],
    modules: [],
    lessons: [],
    courseInstructors: [],
    courseVersions: [],
    lessonDrafts: [],
    achievements: [],
    enrollments: [],
    payments: [],
    lessonCompletions: [],
    lessonProgress: [],
    quizAttempts: [],
    moduleCompletions: [],
    certificates: [],
    learningStats: [],
    userAchievements: [],
    pointEntries: [],
    hiddenStudents: [],
    courseReviews: [],
    workshops: [],
    workshopRegistrations: [],
    discussionThreads: [],
    threadMessages: [],
    conversations: [],
    messages: [],
    studentActivity: [],
    notifications: [],
    studentPresence: [],
  };
}
