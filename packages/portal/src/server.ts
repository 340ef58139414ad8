/** The server side of both portals: session, API mount, and the actions of the identity forms. */
export {
  createPortalErrorHandler,
  createPortalHandle,
  type PortalLocals,
  type PortalName,
} from './server/handle.ts';
export { answerMetrics, answerReady } from './server/operations.ts';
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
  answerStripe,
  answerToken,
  answerTrpc,
  requireSession,
} from './server/routes.ts';
export { loadNotifications } from './notifications/load-notifications.ts';
export { failureOf, throwPageError, toApiError } from './errors/page-error.ts';
export { loadShell, requireRole } from './shell/load-shell.ts';
export { loadSettings, savePrivacy, saveProfile } from './settings/settings.ts';
export {
  resetCoursePreferences,
  saveCoursePreferences,
  savePreferences,
} from './settings/preference-actions.ts';
export { saveDigest, saveQuietHours, stopDigest } from './delivery/delivery-actions.ts';
export { renderMarkdown } from './markdown/remembered.ts';
export { loadWorkshops } from './attendance/load-workshops.ts';
export { findCourse } from './catalog/find-course.ts';
export { loadThread, loadThreads } from './discussions/load-discussions.ts';
export { csvFile } from './server/csv-file.ts';
export { loadConversation } from './messages/load-messages.ts';
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
