import type { ServiceScope } from '@homeroom/api/kinds';

/** What each scope lets a key do, in words. */
export const scopeWords: Record<ServiceScope, string> = {
  'enrollments:write': 'Enroll people in courses',
  'notifications:write': 'Send notifications',
  'payments:write': 'Record payments',
  'progress:write': 'Complete lessons',
  'subscriptions:write': 'Extend subscriptions',
  'users:read': 'Read people’s names and addresses',
};
