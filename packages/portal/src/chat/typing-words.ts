/** Who is writing, in words; nothing when nobody is. */
export function typingWords(people: readonly { name: string }[]): string {
  const [first, second] = people.map(({ name }) => name);
  if (first === undefined) return '';
  if (second === undefined) return `${first} is writing…`;
  if (people.length === 2) return `${first} and ${second} are writing…`;
  return `${first}, ${second} and ${people.length - 2} more are writing…`;
}
