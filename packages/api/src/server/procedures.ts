import { initTRPC } from '@trpc/server';
import type { Role } from '../identity/contract.ts';
import type { Context } from './context.ts';
import type { TransactionMode, UserTransaction } from './database.ts';
import { ERROR_CODES, type ErrorCode, type FieldError } from './error-codes.ts';
import { ApiError, toApiError } from './errors.ts';
import type { Session } from './session.ts';

/** What every error carries besides tRPC's own fields. */
export type ErrorData = {
  appCode: ErrorCode;
  /** A sentence for a person, after the message. */
  whatToDo: string;
  requestId: string | null;
  fields?: FieldError[];
  retryAfterSeconds?: number;
  /** The scope that a service key would need. */
  missingScope?: string;
};

const t = initTRPC.context<Context>().create({
  // Stack traces never leave the server, whatever NODE_ENV says.
  isDev: false,
  errorFormatter({ shape, error, ctx }) {
    const told = toApiError(error);
    const { appCode, message, status, fields, retryAfterSeconds, missingScope } = told;
    const { whatToDo } = ERROR_CODES[appCode];
    const data: ErrorData = { appCode, whatToDo, requestId: ctx?.requestId ?? null };
    if (fields) data.fields = fields;
    if (retryAfterSeconds) data.retryAfterSeconds = retryAfterSeconds;
    if (missingScope) data.missingScope = missingScope;
    return { ...shape, message, data: { ...shape.data, httpStatus: status, ...data } };
  },
});

/** Makes a router of procedures. */
export const router = t.router;

/** Makes callers that run procedures in this process, without HTTP. */
export const createCallerFactory = t.createCallerFactory;

/** Counts, measures and traces the call, tells errors apart, writes the log line: around every procedure. */
export const publicProcedure = t.procedure.use(({ ctx, path, type, next }) =>
  ctx.tracing.run(path, { 'rpc.system': 'trpc', 'rpc.method': path }, async () => {
    const startedAt = performance.now();
    const kind = type === 'mutation' ? 'mutation' : 'query';
    await ctx.countCall(kind, path, ctx.service ?? ctx.session?.userId ?? ctx.clientAddress);
    const result = await next();
    const error = result.ok ? null : toApiError(result.error);
    const durationMs = performance.now() - startedAt;
    ctx.monitor.called(path, durationMs, error);
    logCall(ctx, path, durationMs, error);
    if (error) throw error;
    return result;
  }),
);

/** For whoever is signed in. `ctx.transaction` runs statements as that user. */
export const userProcedure = publicProcedure.use(({ ctx, type, next }) => {
  const { session } = ctx;
  if (!session) throw new ApiError(ctx.service ? 'SERVICE_KEY_FORBIDDEN' : 'SESSION_REQUIRED');
  const mode: TransactionMode = type === 'query' ? 'read' : 'write';
  const transaction = <Result>(work: (tx: UserTransaction) => Promise<Result>): Promise<Result> =>
    ctx.asUser({ ...session, requestId: ctx.requestId }, mode, work);
  return next({ ctx: { session, transaction } });
});

/** For those who teach, and administrators. */
export const instructorProcedure = userProcedure.use(({ ctx, next }) => {
  requireRole(ctx.session, ['instructor', 'admin']);
  return next();
});

/** For administrators. */
export const adminProcedure = userProcedure.use(({ ctx, next }) => {
  requireRole(ctx.session, ['admin']);
  return next();
});

function requireRole(session: Session, roles: readonly Role[]): void {
  if (!roles.includes(session.role)) throw new ApiError('ROLE_FORBIDDEN');
}

function logCall(ctx: Context, path: string, durationMs: number, error: ApiError | null): void {
  const call = {
    requestId: ctx.requestId,
    userId: ctx.session?.userId,
    serviceKeyId: ctx.service?.id,
    path,
    durationMs: Math.round(durationMs * 10) / 10,
    appCode: error?.appCode,
  };
  if (error && error.status >= 500) ctx.log.error({ ...call, err: error.cause ?? error }, 'call');
  else ctx.log.info(call, 'call');
}
