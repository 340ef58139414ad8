import * as z from 'zod';
import { LESSON_KINDS, MEDIA_TYPES } from './kinds-contract.ts';

/** Reasons are sentences: authors read them beside the field. */
const EMPTY = 'Write something here.';
/** What is said of a text that is too long. */
export const lettersMax = (most: number) => `Use at most ${most.toLocaleString('en')} letters.`;
const textSchema = (most: number) => z.string().trim().min(1, EMPTY).max(most, lettersMax(most));

/** The name of a course, a module or a lesson. */
export const titleSchema = textSchema(200);
const httpsSchema = z
  .string()
  .max(2000, lettersMax(2000))
  .refine(isSafeLink, 'Not an address that begins with https://, nor one of this site.');

/** An address of the web, or one of the portal itself (`/demo/…`), which leads nowhere else. */
function isSafeLink(text: string): boolean {
  return /^\/[^/\\]/.test(text) || z.url({ protocol: /^https$/ }).safeParse(text).success;
}

/** What the database takes of a lesson's text, bytes. */
const CONTENT_BYTES_MAX = 262_144;

const hasFewerBytesThan = (most: number) => (text: string) =>
  new TextEncoder().encode(text).length <= most;

/** A choice of a question. */
const choiceSchema = z.object({
  id: z.string().min(1).max(100),
  text: textSchema(1000),
});

const POINTS = 'A question gives 1 to 100 points.';
const questionShape = {
  id: z.string().min(1).max(100),
  prompt: textSchema(5000),
  points: z.int(POINTS).min(1, POINTS).max(100, POINTS).default(1),
  explanation: z.string().max(5000, lettersMax(5000)).default(''),
};
const choicesShape = {
  choices: z
    .array(choiceSchema)
    .min(2, 'Give at least two choices.')
    .max(20, 'Give at most 20 choices.')
    .refine((choices) => new Set(choices.map(({ id }) => id)).size === choices.length, {
      error: 'Two choices have the same id.',
    }),
};

/** Each correct answer is the id of a choice. */
const correctIsAChoice = (question: { choices: { id: string }[]; correct: string[] }) =>
  question.correct.every((id) => question.choices.some((choice) => choice.id === id));
const CORRECT_IS_NO_CHOICE = { path: ['correct'], error: 'Not one of the choices.' };

/** A question with its answers. */
export const questionSchema = z.discriminatedUnion('kind', [
  z
    .object({
      kind: z.literal('single'),
      ...questionShape,
      ...choicesShape,
      correct: z.array(z.string()).length(1, 'Say which choice is right.'),
    })
    .refine(correctIsAChoice, CORRECT_IS_NO_CHOICE),
  z
    .object({
      kind: z.literal('multiple'),
      ...questionShape,
      ...choicesShape,
      correct: z.array(z.string()).min(1, 'Say which choices are right.').max(20),
    })
    .refine(correctIsAChoice, CORRECT_IS_NO_CHOICE),
  z.object({
    kind: z.literal('short'),
    ...questionShape,
    /** Case and spaces don't matter. */
    accepted: z
      .array(textSchema(1000))
      .min(1, 'Give at least one answer that is right.')
      .max(50, 'Give at most 50 answers.'),
  }),
]);

/** A question with its answers. */
export type Question = z.infer<typeof questionSchema>;

const PERCENT = 'A whole number from 0 to 100.';
const ATTEMPTS = 'A whole number from 1 to 100, or nothing.';

/** A quiz with its answers. */
export const quizSchema = z.object({
  passPercent: z.int(PERCENT).min(0, PERCENT).max(100, PERCENT),
  attemptsMax: z.int(ATTEMPTS).min(1, ATTEMPTS).max(100, ATTEMPTS).nullable(),
  questions: z
    .array(questionSchema)
    .min(1, 'Ask at least one question.')
    .max(100, 'Ask at most 100 questions.')
    .refine((questions) => new Set(questions.map(({ id }) => id)).size === questions.length, {
      error: 'Two questions have the same id.',
    }),
});

/** A quiz with its answers. */
export type Quiz = z.infer<typeof quizSchema>;

const FILE_SIZE = 'A file has at most 1 GB.';

/** A file beside a lesson, by its address. */
export const attachmentSchema = z.object({
  title: titleSchema,
  url: httpsSchema,
  mediaType: z.enum(MEDIA_TYPES, 'Not a kind of file that a lesson can have.'),
  sizeBytes: z.int(FILE_SIZE).min(0, FILE_SIZE).max(1_000_000_000, FILE_SIZE),
});

/** A file beside a lesson, by its address. */
export type Attachment = z.infer<typeof attachmentSchema>;

const MINUTES = 'A whole number of minutes, at most a day (1,440).';

/** All that an author writes in a lesson. */
export const lessonFieldsSchema = z
  .object({
    title: titleSchema,
    kind: z.enum(LESSON_KINDS),
    /** Markdown. */
    content: z.string().refine(hasFewerBytesThan(CONTENT_BYTES_MAX), {
      error: 'Longer than 256 kB. Make two lessons of it.',
    }),
    videoUrl: httpsSchema.nullable(),
    captionsUrl: httpsSchema.nullable(),
    attachments: z.array(attachmentSchema).max(20, 'At most 20 files.'),
    quiz: quizSchema.nullable(),
    durationMinutes: z.int(MINUTES).min(0, MINUTES).max(1440, MINUTES),
    isPublished: z.boolean(),
    isRequired: z.boolean(),
  })
  .refine(({ kind, isPublished, quiz }) => kind !== 'quiz' || !isPublished || quiz !== null, {
    path: ['quiz'],
    error: 'A quiz that is to be published needs questions.',
  })
  .refine(
    ({ kind, isPublished, videoUrl }) => kind !== 'video' || !isPublished || videoUrl !== null,
    {
      path: ['videoUrl'],
      error: 'A video that is to be published needs its address.',
    },
  );

/** All that an author writes in a lesson. */
export type LessonFields = z.infer<typeof lessonFieldsSchema>;

const PRICE = 'A price from 0 to 100,000.';

/** All that an author writes about a course. */
export const courseDetailsSchema = z.object({
  slug: z
    .string()
    .min(1, EMPTY)
    .max(200, lettersMax(200))
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'Small letters, digits and single hyphens only.'),
  title: titleSchema,
  summary: z.string().max(500, lettersMax(500)),
  description: z.string().max(20_000, lettersMax(20_000)),
  coverUrl: httpsSchema.nullable(),
  category: textSchema(60),
  level: z.enum(['beginner', 'intermediate', 'advanced']),
  priceCents: z.int(PRICE).min(0, PRICE).max(10_000_000, PRICE),
  currency: z.string().regex(/^[A-Z]{3}$/, 'Not a currency such as EUR.'),
});

/** All that an author writes about a course. */
export type CourseDetails = z.infer<typeof courseDetailsSchema>;

/** A module and the order of its lessons. A new module brings an id of its own (`randomUUID`). */
export const outlineModuleSchema = z.object({
  id: z.guid(),
  title: titleSchema,
  summary: z.string().max(2000),
  lessonIds: z.array(z.guid()).max(1000),
});

/** A module and the order of its lessons. */
export type OutlineModule = z.infer<typeof outlineModuleSchema>;

/** The modules of a course in their order; each lesson in one of them. */
export const outlineSchema = z
  .array(outlineModuleSchema)
  .max(200)
  .refine(
    (modules) => {
      const ids = modules.flatMap(({ lessonIds }) => lessonIds);
      return new Set(ids).size === ids.length;
    },
    { error: 'A lesson is in two places.' },
  );
