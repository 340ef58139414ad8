/** The address of a form that signs in or up, and afterwards leads to a course, or to all of them. */
export function withNext(form: '/sign-in' | '/sign-up', slug?: string): string {
  const next = slug === undefined ? '/courses' : `/courses/${slug}`;
  return `${form}?next=${encodeURIComponent(next)}`;
}
