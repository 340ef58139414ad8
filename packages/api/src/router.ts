import { achievementsRouter } from './achievements/router.ts';
import { calendarRouter } from './attendance/calendar-router.ts';
import { activityRouter } from './activity/router.ts';
import { announcementsRouter } from './announcements/router.ts';
import { attendanceRouter } from './attendance/router.ts';
import { workshopsRouter } from './attendance/workshops-router.ts';
import { authoringRouter } from './authoring/router.ts';
import { catalogRouter } from './catalog/router.ts';
import { certificatesRouter } from './certificates/router.ts';
import { deliveryRouter } from './delivery/router.ts';
import { discussionsRouter } from './discussions/router.ts';
import { enrollmentRouter } from './enrollment/router.ts';
import { identityRouter } from './identity/router.ts';
import { leaderboardRouter } from './leaderboard/router.ts';
import { liveRouter } from './live/router.ts';
import { messagesRouter } from './messages/router.ts';
import { monitoringRouter } from './monitoring/router.ts';
import { notificationsRouter } from './notifications/router.ts';
import { presenceRouter } from './presence/router.ts';
import { progressRouter } from './progress/router.ts';
import { reviewsRouter } from './reviews/router.ts';
import { router } from './server/procedures.ts';
import { serviceKeysRouter } from './services/keys-router.ts';
import { servicesRouter } from './services/router.ts';

/** Every procedure, by capability. */
export const appRouter = router({
  achievements: achievementsRouter,
  activity: activityRouter,
  announcements: announcementsRouter,
  attendance: attendanceRouter,
  authoring: authoringRouter,
  calendar: calendarRouter,
  catalog: catalogRouter,
  certificates: certificatesRouter,
  delivery: deliveryRouter,
  discussions: discussionsRouter,
  enrollment: enrollmentRouter,
  identity: identityRouter,
  leaderboard: leaderboardRouter,
  live: liveRouter,
  messages: messagesRouter,
  monitoring: monitoringRouter,
  notifications: notificationsRouter,
  presence: presenceRouter,
  progress: progressRouter,
  serviceKeys: serviceKeysRouter,
  services: servicesRouter,
  reviews: reviewsRouter,
  workshops: workshopsRouter,
});

/** The type of every procedure, for typed clients. */
export type AppRouter = typeof appRouter;
