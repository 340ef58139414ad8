import { answerReady } from '@homeroom/portal/server';

export const GET = answerReady;
