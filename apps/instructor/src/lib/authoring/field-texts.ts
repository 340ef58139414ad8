import type { CourseDetails, LessonFields, Question, Quiz } from '@homeroom/api/contract';

/** A field as text, to be compared. */
export type FieldText<Name extends string = string> = { name: Name; label: string; text: string };

const yesNo = (is: boolean) => (is ? 'Yes' : 'No');
const KINDS = { text: 'Text', video: 'Video', quiz: 'Quiz' };
const QUESTION_KINDS = {
  single: 'one is right',
  multiple: 'several are right',
  short: 'short answer',
};

/** A lesson as texts, in the order of its editor. */
export function lessonTexts(fields: LessonFields): FieldText<keyof LessonFields>[] {
  return [
    { name: 'title', label: 'Title', text: fields.title },
    { name: 'kind', label: 'Kind', text: KINDS[fields.kind] },
    { name: 'videoUrl', label: 'Video', text: fields.videoUrl ?? '' },
    { name: 'captionsUrl', label: 'Captions', text: fields.captionsUrl ?? '' },
    { name: 'content', label: 'Text', text: fields.content },
    { name: 'quiz', label: 'Quiz', text: fields.quiz ? quizText(fields.quiz) : '' },
    {
      name: 'attachments',
      label: 'Files',
      text: fields.attachments.map(({ title, url }) => `${title} (${url})`).join('\n'),
    },
    { name: 'durationMinutes', label: 'Minutes', text: String(fields.durationMinutes) },
    { name: 'isPublished', label: 'Students see it', text: yesNo(fields.isPublished) },
    { name: 'isRequired', label: 'Counts for finishing', text: yesNo(fields.isRequired) },
  ];
}

/** The texts of a course, in the order of their form. */
export function detailsTexts(details: CourseDetails): FieldText<keyof CourseDetails>[] {
  return [
    { name: 'title', label: 'Title', text: details.title },
    { name: 'slug', label: 'Address', text: details.slug },
    { name: 'summary', label: 'Summary', text: details.summary },
    { name: 'description', label: 'Description', text: details.description },
    { name: 'coverUrl', label: 'Cover', text: details.coverUrl ?? '' },
    { name: 'category', label: 'Subject', text: details.category },
    { name: 'level', label: 'Level', text: details.level },
    { name: 'priceCents', label: 'Price', text: (details.priceCents / 100).toFixed(2) },
    { name: 'currency', label: 'Currency', text: details.currency },
  ];
}

function quizText({ passPercent, attemptsMax, questions }: Quiz): string {
  const attempts = attemptsMax === null ? 'any number of' : attemptsMax;
  return [
    `${passPercent} % to pass, ${attempts} attempts`,
    ...questions.map((question, index) => questionText(question, index + 1)),
  ].join('\n\n');
}

function questionText(question: Question, number: number): string {
  const { prompt, kind, points, explanation } = question;
  const answers =
    question.kind === 'short'
      ? question.accepted.map((text) => `= ${text}`)
      : question.choices.map(
          ({ id, text }) => `${question.correct.includes(id) ? '[x]' : '[ ]'} ${text}`,
        );
  return [
    `${number}. ${prompt}`,
    `(${QUESTION_KINDS[kind]}, ${points} ${points === 1 ? 'point' : 'points'})`,
    ...answers,
    ...(explanation ? [`Why: ${explanation}`] : []),
  ].join('\n');
}
