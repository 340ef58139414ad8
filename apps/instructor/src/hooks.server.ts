import { createPortalErrorHandler, createPortalHandle } from '@homeroom/portal/server';

/** Session, headers, API: see @homeroom/portal. */
export const handle = createPortalHandle('instructor');

/** Faults of ours: logged, and named on the page by the request's id. */
export const handleError = createPortalErrorHandler();
