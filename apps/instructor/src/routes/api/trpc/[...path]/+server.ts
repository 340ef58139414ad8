import { answerTrpc } from '@homeroom/portal/server';

export const GET = answerTrpc;
export const POST = answerTrpc;
