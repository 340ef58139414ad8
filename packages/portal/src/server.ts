/** The server side of both portals: session, API mount, and the actions of the identity forms. */
export { createPortalHandle, type PortalLocals, type PortalName } from './server/handle.ts';
export {
  changePassword,
  confirm,
  type FormAnswer,
  resetPassword,
  sendMagicLink,
  sendRecovery,
  signIn,
  signOut,
  signUp,
} from './server/identity.ts';
export {
  answerHealth,
  answerRest,
  answerToken,
  answerTrpc,
  requireSession,
} from './server/routes.ts';
export { loadNotifications } from './notifications/load-notifications.ts';
export { failureOf, throwPageError, toApiError } from './errors/page-error.ts';
export { loadShell, requireRole } from './shell/load-shell.ts';
export { loadSettings, savePreferences, saveProfile } from './settings/settings.ts';
export { renderMarkdown } from './markdown/render.ts';
export { loadWorkshops } from './attendance/load-workshops.ts';
export { findCourse } from './catalog/find-course.ts';
export { loadThread, loadThreads } from './discussions/load-discussions.ts';
export { csvFile } from './server/csv-file.ts';
export {
  answerCalendar,
  answerCalendarEvent,
  changeCalendarAddress,
} from './attendance/calendar-routes.ts';
export {
  cancelWorkshop,
  changeWorkshop,
  loadNewPlan,
  loadPlan,
  planWorkshop,
  type PlanAnswer,
} from './attendance/plan-actions.ts';
export { leadToCheckIn, seenCode, type SeenCode } from './attendance/seen-code.ts';
