import type { Receipt } from '@homeroom/realtime';

/** How far one's last message has come, in words. */
export const receiptWords: Record<NonNullable<Receipt>, string> = {
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
};
