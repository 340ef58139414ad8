/** What one may answer a message with, without words. In the order in which they are offered. */
export const REACTIONS = ['👍', '❤️', '🎉', '😄', '🤔', '👀', '🙏', '✅'] as const;

/**
 * How closely someone follows a thread: told of every message; sees what is unread; told when they
 * are meant; told nothing.
 */
export const THREAD_LEVELS = ['watching', 'tracking', 'normal', 'muted'] as const;

/** Why a message is reported. */
export const REPORT_REASONS = ['spam', 'harassment', 'cheating', 'off_topic', 'other'] as const;

/** What became of a report: nobody has looked yet, nothing was wrong, the message was removed. */
export const REPORT_STATUSES = ['open', 'dismissed', 'removed'] as const;
