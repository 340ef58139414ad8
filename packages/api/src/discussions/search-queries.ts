import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import { onlyRow } from '../server/fragments.ts';
import type { mentionableInput, mentionableOutput, searchInput, searchOutput } from './contract.ts';

/** A text as its parts: the database sets control character 1 before a match, and 2 behind it. */
function toParts(marked: string): { text: string; isMatch: boolean }[] {
  const [before = '', ...matches] = marked.split('\u0001');
  const parts = matches.flatMap((match) => {
    const [text = '', after = ''] = match.split('\u0002');
    return [
      { text, isMatch: true },
      { text: after, isMatch: false },
    ];
  });
  return [{ text: before, isMatch: false }, ...parts].filter(({ text }) => text !== '');
}

/** The messages of a course that hold the words, best first. */
export async function searchMessages(
  tx: UserTransaction,
  { courseId, words, limit, offset }: z.output<typeof searchInput>,
): Promise<z.infer<typeof searchOutput>> {
  type Hit = Omit<z.infer<typeof searchOutput>['items'][number], 'excerpt'> & { excerpt: string };
  const { hits } = onlyRow(
    await tx.execute<{ hits: Hit[] }>(sql`
      select private.search_thread_messages(
        ${courseId}::uuid, ${words}, ${limit}::integer, ${offset}::integer
      ) as "hits"`),
  );
  return { items: hits.map((hit) => ({ ...hit, excerpt: toParts(hit.excerpt) })) };
}

/** Those in a course whose first or last name begins so, staff first. */
export async function listMentionable(
  tx: UserTransaction,
  { courseId, words }: z.output<typeof mentionableInput>,
): Promise<z.infer<typeof mentionableOutput>> {
  return onlyRow(
    await tx.execute<z.infer<typeof mentionableOutput>>(sql`
      select private.find_course_people(${courseId}::uuid, ${words}, 8) as "items"`),
  );
}
