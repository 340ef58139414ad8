import type { LessonFields, Question, Quiz } from '@homeroom/api/contract';

/** What a question can be, in the words of its author. */
export const QUESTION_KINDS = [
  { value: 'single', label: 'One choice is right' },
  { value: 'multiple', label: 'Several choices are right' },
  { value: 'short', label: 'A short answer' },
] as const satisfies readonly { value: Question['kind']; label: string }[];

type NewId = () => string;

/** A question to begin with. Pure but for its ids. */
export function newQuestion(newId: NewId): Question {
  return {
    id: newId(),
    kind: 'single',
    prompt: '',
    points: 1,
    explanation: '',
    choices: [newChoice(newId), newChoice(newId)],
    correct: [],
  };
}

/** An empty choice. */
export function newChoice(newId: NewId) {
  return { id: newId(), text: '' };
}

/** A quiz to begin with. */
export function newQuiz(newId: NewId): Quiz {
  return { passPercent: 60, attemptsMax: null, questions: [newQuestion(newId)] };
}

/** The same question of another kind; what doesn't fit it is left behind. */
export function withKind(question: Question, kind: Question['kind'], newId: NewId): Question {
  const { id, prompt, points, explanation } = question;
  const rest = { id, prompt, points, explanation };
  if (kind === 'short') {
    return { ...rest, kind, accepted: question.kind === 'short' ? question.accepted : [] };
  }
  const { choices, correct } =
    question.kind === 'short'
      ? { choices: [newChoice(newId), newChoice(newId)], correct: [] }
      : question;
  return { ...rest, kind, choices, correct: kind === 'single' ? correct.slice(0, 1) : correct };
}

/** A lesson as it is sent: what was left empty is nothing, and a quiz belongs to a quiz only. */
export function forSaving(fields: LessonFields): LessonFields {
  const { quiz } = fields;
  return {
    ...fields,
    videoUrl: fields.videoUrl?.trim() || null,
    captionsUrl: fields.captionsUrl?.trim() || null,
    quiz:
      quiz && fields.kind === 'quiz'
        ? {
            ...quiz,
            questions: quiz.questions.map((question) =>
              question.kind === 'short'
                ? { ...question, accepted: question.accepted.filter((text) => text.trim() !== '') }
                : question,
            ),
          }
        : null,
  };
}
