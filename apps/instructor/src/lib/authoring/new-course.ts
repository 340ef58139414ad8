/** The address that a title suggests: `Brot & Käse` is `brot-kase`. */
export function slugOf(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 100)
    .replaceAll(/^-|-$/g, '');
}

/** What the form of a new course says; the address is made of the title when none is given. */
export function readNewCourse(form: FormData): { title: string; slug: string } {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const title = text('title');
  return { title, slug: text('slug') || slugOf(title) };
}
