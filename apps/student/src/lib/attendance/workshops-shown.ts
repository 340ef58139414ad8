/** How many of the next workshops the first page has room for. */
export const WORKSHOPS_SHOWN = 4;
