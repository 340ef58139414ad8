/** How someone was checked in: by an instructor, by the code on the screen, or unregistered. */
export const CHECK_IN_METHODS = ['hand', 'code', 'walk_in'] as const;

/** What the attendance log records. */
export const ATTENDANCE_ACTIONS = ['checked_in', 'undone'] as const;
