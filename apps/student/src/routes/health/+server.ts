import { answerHealth } from '@homeroom/portal/server';

export const GET = answerHealth;
