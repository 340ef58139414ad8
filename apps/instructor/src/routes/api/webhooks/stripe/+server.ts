import { answerStripe } from '@homeroom/portal/server';

export const POST = answerStripe;
