/** How someone was checked in: by an instructor, by the code on the screen, or unregistered. */
export const CHECK_IN_METHODS = ['hand', 'code', 'walk_in'] as const;

/** For how long a check-in code is shown, in seconds. */
export const CODE_SECONDS = 30;
