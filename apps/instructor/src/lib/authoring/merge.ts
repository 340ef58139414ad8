import { dequal } from 'dequal/lite';

/** What two authors have made of the same thing: put together, and where they clash. */
export type Merged<T> = { fields: T; clashes: string[] };

/**
 * Puts together what two authors have changed, field by field: what only one has changed is theirs;
 * where both have, to another end, `mine` stays for now and the field is named. Pure.
 */
export function merge<T extends object>(base: T, mine: T, theirs: T): Merged<T> {
  const fields = { ...theirs };
  const clashes: string[] = [];
  for (const name of Object.keys(mine) as (keyof T & string)[]) {
    if (dequal(mine[name], base[name]) || dequal(mine[name], theirs[name])) continue;
    fields[name] = mine[name];
    if (!dequal(theirs[name], base[name])) clashes.push(name);
  }
  return { fields, clashes };
}

/** How an author ends a clash; `both` puts one text below the other. */
export type Choice = 'mine' | 'theirs' | 'both';

/** What an author has chosen, by the field's name; `mine` where nothing is. */
export type Choices = Record<string, Choice | undefined>;

/** The fields with every clash ended. Pure. */
export function settled<T extends object>(
  { fields, clashes }: Merged<T>,
  theirs: T,
  choices: Choices,
): T {
  const result = { ...fields };
  for (const name of clashes as (keyof T & string)[]) {
    const choice = choices[name] ?? 'mine';
    if (choice === 'theirs') result[name] = theirs[name];
    if (choice === 'both') {
      result[name] = `${theirs[name] as string}\n\n${fields[name] as string}` as T[typeof name];
    }
  }
  return result;
}
