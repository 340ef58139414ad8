/** A course's price as people say it: `Free`, or the amount in its currency. */
export function coursePrice(course: { priceCents: number; currency: string }): string {
  if (course.priceCents === 0) return 'Free';
  return new Intl.NumberFormat('en', { style: 'currency', currency: course.currency }).format(
    course.priceCents / 100,
  );
}
