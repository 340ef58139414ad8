import type { Reaction } from '@homeroom/api/kinds';

/** What a sign says, for those who don't see it. */
export const reactionLabels: Record<Reaction, string> = {
  '👍': 'Agree',
  '❤️': 'Love it',
  '🎉': 'Celebrate',
  '😄': 'Makes me smile',
  '🤔': 'Makes me think',
  '👀': 'Looking at it',
  '🙏': 'Thanks',
  '✅': 'Done',
};
