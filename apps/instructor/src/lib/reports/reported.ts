import type { MessageReport } from '@homeroom/api/contract';

/** What the reports of a discussion's messages and of direct messages have in common. */
export type Reported = Pick<
  MessageReport,
  'id' | 'messageId' | 'reporter' | 'reason' | 'note' | 'status' | 'createdAt' | 'snapshot'
>;
