/** What a lesson can be. Free of zod, for the browser. */
export const LESSON_KINDS = ['text', 'video', 'quiz'] as const;

/** What a lesson can be. */
export type LessonKind = (typeof LESSON_KINDS)[number];

/** The kinds of files that a lesson can have beside it. Free of zod, for the browser. */
export const MEDIA_TYPES = [
  'application/pdf',
  'application/zip',
  'application/json',
  'audio/mpeg',
  'image/jpeg',
  'image/png',
  'image/webp',
  'text/csv',
  'text/markdown',
  'text/plain',
] as const;

/** A kind of file that a lesson can have beside it. */
export type MediaType = (typeof MEDIA_TYPES)[number];

/** What a publication can change. Free of zod, for the browser. */
export const CONTENT_CHANGES = [
  'course_published',
  'course_edited',
  'module_added',
  'module_removed',
  'module_edited',
  'lesson_added',
  'lesson_removed',
  'lesson_edited',
  'lesson_required',
  'lesson_optional',
  'lesson_moved',
  'reordered',
] as const;

/** What a publication can change. */
export type ContentChangeKind = (typeof CONTENT_CHANGES)[number];
