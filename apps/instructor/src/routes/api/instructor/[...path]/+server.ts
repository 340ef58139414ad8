import { answerRest } from '@homeroom/portal/server';

export const GET = answerRest;
export const POST = answerRest;
export const PUT = answerRest;
export const DELETE = answerRest;
