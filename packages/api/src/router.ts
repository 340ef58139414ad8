import { attendanceRouter } from './attendance/router.ts';
import { workshopsRouter } from './attendance/workshops-router.ts';
import { catalogRouter } from './catalog/router.ts';
import { discussionsRouter } from './discussions/router.ts';
import { enrollmentRouter } from './enrollment/router.ts';
import { identityRouter } from './identity/router.ts';
import { liveRouter } from './live/router.ts';
import { notificationsRouter } from './notifications/router.ts';
import { router } from './server/procedures.ts';

/** Every procedure, by capability. */
export const appRouter = router({
  attendance: attendanceRouter,
  catalog: catalogRouter,
  discussions: discussionsRouter,
  enrollment: enrollmentRouter,
  identity: identityRouter,
  live: liveRouter,
  notifications: notificationsRouter,
  workshops: workshopsRouter,
});

/** The type of every procedure, for typed clients. */
export type AppRouter = typeof appRouter;
