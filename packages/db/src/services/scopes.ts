/** What a service key can be allowed to do: the capability, and how far. */
export const SERVICE_SCOPES = [
  'enrollments:write',
  'notifications:write',
  'payments:write',
  'progress:write',
  'subscriptions:write',
  'users:read',
] as const;
