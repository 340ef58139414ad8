import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { limitSchema } from '../pagination/contract.ts';
import { numberSchema } from './threads-contract.ts';

/** Looks for words in a course's messages, as in a web search: `"a phrase"`, `or`, `-without`. */
export const searchInput = z.object({
  courseId: z.guid(),
  words: z.string().trim().min(1, 'Nothing to look for').max(200),
  limit: limitSchema,
  offset: z.int().min(0).max(1000).default(0),
});

/** What was found, best first; the words that were looked for are the parts with `isMatch`. */
export const searchOutput = z.object({
  items: z.array(
    z.object({
      messageId: z.guid(),
      number: numberSchema,
      threadId: z.guid(),
      threadTitle: z.string(),
      sender: personSchema.nullable(),
      createdAt: z.iso.datetime(),
      excerpt: z.array(z.object({ text: z.string(), isMatch: z.boolean() })),
    }),
  ),
});

/** Asks for those in a course whose name begins so, to name them in a message. */
export const mentionableInput = z.object({
  courseId: z.guid(),
  words: z.string().trim().max(100).default(''),
});

/** Those in the course whom a message may name. */
export const mentionableOutput = z.object({ items: z.array(personSchema) });
