/** The server side of both portals: session, API mount, and the actions of the identity forms. */
export { createPortalHandle, type PortalLocals, type PortalName } from './server/handle.ts';
export {
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
export { readNotificationQuery } from './notifications/query.ts';
export { failureOf, throwPageError } from './errors/page-error.ts';
export { loadShell, requireRole } from './shell/load-shell.ts';
