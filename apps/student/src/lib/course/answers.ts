/**
 * Answers out of the form of a quiz. A field is `<kind>:<question>`: choices (`choice`) are lists,
 * also when one is chosen; a text (`text`) is one.
 */
export function readAnswers(form: FormData): Record<string, string | string[]> {
  const answers: Record<string, string | string[]> = {};
  for (const name of new Set(form.keys())) {
    const [kind, question] = splitOnce(name);
    const values = form.getAll(name).filter((value) => typeof value === 'string');
    if (kind === 'choice') answers[question] = values;
    if (kind === 'text') answers[question] = values[0] ?? '';
  }
  return answers;
}

function splitOnce(name: string): [string, string] {
  const at = name.indexOf(':');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}
