/** What a service key can be allowed to do. Free of zod, for the browser. */
export const SERVICE_SCOPES = [
  'enrollments:write',
  'notifications:write',
  'payments:write',
  'progress:write',
  'subscriptions:write',
  'users:read',
] as const;

/** What a service key can be allowed to do. */
export type ServiceScope = (typeof SERVICE_SCOPES)[number];
