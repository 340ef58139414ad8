import { answerToken } from '@homeroom/portal/server';

export const GET = answerToken;
