import type { ContentChange } from '@homeroom/api/contract';

/** What a publication changed, one thing in one sentence. */
export function changeWords({ kind, title = '' }: ContentChange): string {
  switch (kind) {
    case 'course_published':
      return 'The course is in the catalogue.';
    case 'course_edited':
      return 'The description of the course was changed.';
    case 'module_added':
      return `“${title}” is a new module.`;
    case 'module_removed':
      return `The module “${title}” was taken out.`;
    case 'module_edited':
      return `The module “${title}” has another title or summary.`;
    case 'lesson_added':
      return `“${title}” is new.`;
    case 'lesson_removed':
      return `“${title}” was taken out.`;
    case 'lesson_edited':
      return `“${title}” was changed.`;
    case 'lesson_required':
      return `“${title}” counts for finishing the course now.`;
    case 'lesson_optional':
      return `“${title}” is optional now.`;
    case 'lesson_moved':
      return `“${title}” is in another module.`;
    case 'reordered':
      return 'The order is another.';
  }
}
