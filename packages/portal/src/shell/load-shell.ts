import { error, type RequestEvent } from '@sveltejs/kit';
import type { Role } from '@homeroom/api/contract';
import { requireSession } from '../server/routes.ts';

/** How many of the latest the bell shows. */
const bellLimit = 8;
/** How many conversations the list begins with; the store asks for as many. */
const conversationsLimit = 20;

/**
 * What the shell of a signed-in page shows.
 * @throws a redirect to the sign-in page
 */
export async function loadShell(event: RequestEvent) {
  const session = requireSession(event);
  const { caller, settings } = event.locals;
  const [me, notifications, conversations] = await Promise.all([
    caller.identity.me(),
    caller.notifications.list({ limit: bellLimit }),
    caller.messages.conversations({ limit: conversationsLimit }),
  ]);
  return {
    shell: {
      me,
      notifications,
      conversations,
      userId: session.userId,
      supabaseUrl: settings.supabaseUrl,
      publishableKey: settings.publishableKey,
      monitoringSample: settings.monitoringSample ?? 1,
    },
  };
}

/** What the shell of a signed-in page shows. */
export type Shell = Awaited<ReturnType<typeof loadShell>>['shell'];

/**
 * Lets only some roles in.
 * @throws a redirect to the sign-in page, or 403 with where to go instead
 */
export function requireRole(event: RequestEvent, roles: readonly Role[]): void {
  const session = requireSession(event);
  if (roles.includes(session.role)) return;
  const student = process.env.PUBLIC_STUDENT_URL;
  error(
    403,
    `This is the portal for instructors.${student ? ` The one for students is at ${student}.` : ''}`,
  );
}
