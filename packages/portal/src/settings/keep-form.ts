type Saved = { update: (options: { reset: boolean }) => Promise<void> };

/** For `use:enhance`: what was chosen stays in the form when it has been saved. */
export function keepForm() {
  return ({ update }: Saved) => update({ reset: false });
}
