import type { FieldError } from '@homeroom/api/errors';
import { toChangeError } from '@homeroom/realtime/core';

/** Why something wasn't saved, for the author. */
export type Refusal = {
  code: string;
  /** What happened, and what to do. */
  message: string;
  /** What to mend, where. */
  fields: FieldError[];
};

/** What an error of the API carries. */
type ErrorData = { whatToDo: string; fields: FieldError[] };

/** What a call of the API threw, for the author. */
export function refusalOf(error: unknown): Refusal {
  const { code, message } = toChangeError(error);
  const { whatToDo, fields = [] } = (error as { data?: Partial<ErrorData> }).data ?? {};
  return {
    code,
    message: whatToDo ? `${message} ${whatToDo}` : message,
    fields: fields.map(({ field, reason }) => ({
      field: field.replace(/^(fields|details)\./, ''),
      reason,
    })),
  };
}

/** The words for a part of a field's path. */
const PARTS: Record<string, string> = {
  title: 'Title',
  content: 'Text',
  videoUrl: 'Address of the video',
  captionsUrl: 'Address of the captions',
  attachments: 'File',
  quiz: 'Quiz',
  questions: 'Question',
  choices: 'choice',
  correct: 'right answer',
  accepted: 'accepted answers',
  prompt: 'what it asks',
  explanation: 'explanation',
  points: 'points',
  passPercent: 'to pass',
  attemptsMax: 'attempts',
  durationMinutes: 'Minutes',
  url: 'address',
  mediaType: 'kind',
  sizeBytes: 'size',
  slug: 'Address',
  summary: 'Summary',
  description: 'Description',
  coverUrl: 'Address of the cover',
  category: 'Subject',
  priceCents: 'Price',
  currency: 'Currency',
  text: '',
};

/** Where something is to be mended, in words: `quiz.questions.0.choices.1.text` is “Question 1, choice 2”. */
export function fieldWords(field: string): string {
  const words: string[] = [];
  for (const part of field.split('.')) {
    if (/^\d+$/.test(part)) words.push(`${words.pop() ?? ''} ${Number(part) + 1}`.trim());
    else words.push(PARTS[part] ?? part);
  }
  const told = words.filter((word) => word !== '');
  return (told[0] === 'Quiz' && told.length > 1 ? told.slice(1) : told).join(', ');
}
