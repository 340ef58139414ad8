import type { ThreadLevel } from '@homeroom/api/kinds';

/** How closely one follows a discussion, in words. */
export const levelLabels: Record<ThreadLevel, string> = {
  watching: 'Watch: tell me of every message',
  tracking: 'Track: count what is unread',
  normal: 'Tell me when I’m meant',
  muted: 'Mute',
};
