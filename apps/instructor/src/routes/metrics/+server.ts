import { answerMetrics } from '@homeroom/portal/server';

export const GET = answerMetrics;
