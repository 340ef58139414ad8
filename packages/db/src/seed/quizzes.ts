import type { Quiz } from '../catalog/tables.ts';
import type { LessonText } from './course-file.ts';

/** A quiz as it stands at the end of a module. */
type QuizText = { module: number; title: string; minutes: number; content: string; quiz: Quiz };

/** Choices, the correct ones marked with an asterisk. */
function choices(...texts: string[]) {
  const ids = texts.map((_, at) => 'abcdef'[at] ?? '');
  return {
    choices: texts.map((text, at) => ({ id: ids[at] ?? '', text: text.replace(/^\*/, '') })),
    correct: ids.filter((_, at) => texts[at]?.startsWith('*')),
  };
}

const QUIZZES: Record<string, QuizText[]> = {
  'practical-sql': [
    {
      module: 0,
      title: 'Check yourself: asking questions',
      minutes: 6,
      content: 'Five minutes, three questions, three tries. What counts is the best of them.',
      quiz: {
        passPercent: 60,
        attemptsMax: 3,
        questions: [
          {
            id: 'order',
            kind: 'single',
            prompt: 'A query without `order by` has come back sorted by title ten times in a row.',
            points: 1,
            explanation: 'A table is a set. Without `order by`, any order is as good as another.',
            ...choices(
              'It is sorted by title, then.',
              '*It may come back in any order tomorrow.',
              'It is sorted by the primary key, which happens to agree.',
            ),
          },
          {
            id: 'null',
            kind: 'multiple',
            prompt: 'Which of these find the loans that have not been returned?',
            points: 2,
            explanation: 'Nothing equals null, not even null: `= null` is never true.',
            ...choices(
              '*`where returned_on is null`',
              '`where returned_on = null`',
              '*`where not (returned_on is not null)`',
              "`where returned_on = ''`",
            ),
          },
          {
            id: 'word',
            kind: 'short',
            prompt: 'Which word keeps only the rows for which something is true?',
            points: 1,
            explanation: '`where` runs before `select`: it sees columns that you don’t show.',
            accepted: ['where'],
          },
        ],
      },
    },
    {
      module: 2,
      title: 'Check yourself: rows and numbers',
      minutes: 8,
      content: 'Take a sheet of paper: the second question wants a small table.',
      quiz: {
        passPercent: 50,
        attemptsMax: null,
        questions: [
          {
            id: 'count',
            kind: 'single',
            prompt: '`count(returned_on)` counts …',
            points: 1,
            explanation: 'A column in the brackets leaves out the nulls; the star counts rows.',
            ...choices('all rows', '*the rows in which it is not null', 'the different dates'),
          },
          {
            id: 'median',
            kind: 'single',
            prompt: 'Nine books were out for 10 days, one for 910. What is the average?',
            points: 1,
            explanation: 'It is 100, and describes none of the ten.',
            ...choices('10 days', '*100 days', '55 days'),
          },
        ],
      },
    },
  ],
  'probability-without-tears': [
    {
      module: 1,
      title: 'Check yourself: evidence',
      minutes: 8,
      content: 'Think in people, not in percentages: “of a thousand, how many …?”',
      quiz: {
        passPercent: 60,
        attemptsMax: 3,
        questions: [
          {
            id: 'test',
            kind: 'single',
            prompt:
              'One in a thousand is ill. The test finds all of them, and 5% of the healthy. Yours is positive. How likely are you ill?',
            points: 2,
            explanation: 'Of a thousand, one is ill and about fifty healthy ones test positive.',
            ...choices('95%', '50%', '*about 2%'),
          },
          {
            id: 'doors',
            kind: 'short',
            prompt: 'Three doors, the host opens one with a goat. Stay or switch?',
            points: 1,
            explanation: 'Switching wins whenever your first door was wrong: twice in three.',
            accepted: ['switch', 'switch doors', 'I switch'],
          },
        ],
      },
    },
  ],
  'writing-clearly': [
    {
      module: 1,
      title: 'Check yourself: sentences',
      minutes: 5,
      content: 'Read each sentence aloud before you answer: the ear is quicker than the eye.',
      quiz: {
        passPercent: 50,
        attemptsMax: null,
        questions: [
          {
            id: 'verb',
            kind: 'short',
            prompt: 'Which verb hides in “We carried out an investigation of the leak”?',
            points: 1,
            explanation: 'We investigated the leak.',
            accepted: ['investigate', 'investigated', 'to investigate'],
          },
          {
            id: 'passive',
            kind: 'multiple',
            prompt: 'When is the passive voice the better choice?',
            points: 2,
            explanation: 'It is a tool for saying who the sentence is about.',
            ...choices(
              '*Nobody cares who did it.',
              'It should sound official.',
              '*The reader is thinking of the thing it was done to.',
            ),
          },
        ],
      },
    },
  ],
  'bread-a-small-science': [
    {
      module: 0,
      title: 'Check yourself: four ingredients',
      minutes: 5,
      content: 'Two questions about what is in the bowl. You may keep a calculator at hand.',
      quiz: {
        passPercent: 60,
        attemptsMax: 5,
        questions: [
          {
            id: 'percent',
            kind: 'short',
            prompt: '500 g of flour at 70% hydration: how many grams of water?',
            points: 1,
            explanation: 'Everything is counted in percent of the flour: 0.7 × 500.',
            accepted: ['350', '350 g', '350 grams', '350g'],
          },
          {
            id: 'salt',
            kind: 'single',
            prompt: 'What does salt do to yeast?',
            points: 1,
            explanation: 'Two percent slows it and tightens the gluten; it doesn’t kill it.',
            ...choices('It feeds it.', '*It slows it.', 'It kills it at once.'),
          },
        ],
      },
    },
  ],
};

/** The quizzes of a module, as lessons that come after all others of it. */
export function quizzesOf(slug: string, module: number): LessonText[] {
  return (QUIZZES[slug] ?? [])
    .filter((quiz) => quiz.module === module)
    .map(({ title, minutes, content, quiz }) => ({
      ...{ title, minutes, content, quiz, kind: 'quiz', isRequired: true, isPublished: true },
    }));
}
