import { createPortalHandle } from '@homeroom/portal/server';

/** Session, headers, API: see @homeroom/portal. */
export const handle = createPortalHandle('student');
