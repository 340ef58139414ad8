import { TRPCError, type TRPC_ERROR_CODE_KEY } from '@trpc/server';
import * as z from 'zod';
import { ERROR_CODES, type ErrorCode, type FieldError } from './error-codes.ts';
import { fromPostgres, retryAfterOf } from './postgres-errors.ts';

/** tRPC's word for each status that we give. */
const TRPC_CODES: Record<(typeof ERROR_CODES)[ErrorCode]['status'], TRPC_ERROR_CODE_KEY> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  402: 'PAYMENT_REQUIRED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
};

/** Our code for the errors that tRPC raises by itself. */
const CODES_OF_TRPC: Partial<Record<TRPC_ERROR_CODE_KEY, ErrorCode>> = {
  BAD_REQUEST: 'INPUT_INVALID',
  PARSE_ERROR: 'INPUT_INVALID',
  NOT_FOUND: 'ROUTE_NOT_FOUND',
  METHOD_NOT_SUPPORTED: 'METHOD_NOT_ALLOWED',
  PAYLOAD_TOO_LARGE: 'BODY_TOO_LARGE',
  UNSUPPORTED_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
};

/** What an error carries besides its code. */
export type ErrorDetails = {
  fields?: FieldError[];
  retryAfterSeconds?: number;
  /** The scope that a service key would need. */
  missingScope?: string;
  cause?: unknown;
};

/** An error that the caller is told about: everything else is an INTERNAL_ERROR to them. */
export class ApiError extends TRPCError {
  readonly appCode: ErrorCode;
  readonly fields: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly missingScope: string | undefined;

  constructor(
    appCode: ErrorCode,
    { fields, retryAfterSeconds, missingScope, cause }: ErrorDetails = {},
  ) {
    const { status, sentence } = ERROR_CODES[appCode];
    const message = missingScope ? `This service key lacks the scope ${missingScope}.` : sentence;
    super({ code: TRPC_CODES[status], message, cause });
    this.name = 'ApiError';
    this.appCode = appCode;
    this.fields = fields;
    this.retryAfterSeconds = retryAfterSeconds;
    this.missingScope = missingScope;
  }

  get status(): number {
    return ERROR_CODES[this.appCode].status;
  }
}

/** Any error as the one that the caller is told. The original stays in `cause`, for the log. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TRPCError && error.cause instanceof ApiError) return error.cause;
  const cause = error instanceof TRPCError && error.cause ? error.cause : error;
  if (error instanceof TRPCError && error.code === 'BAD_REQUEST' && cause instanceof z.ZodError) {
    return new ApiError('INPUT_INVALID', { fields: fieldsOf(cause), cause });
  }
  const postgresCode = fromPostgres(cause);
  if (postgresCode) {
    return new ApiError(postgresCode, { cause, retryAfterSeconds: retryAfterOf(cause) });
  }
  if (error instanceof TRPCError) {
    const appCode = CODES_OF_TRPC[error.code] ?? 'INTERNAL_ERROR';
    const fields = appCode === 'INPUT_INVALID' ? [{ field: '', reason: error.message }] : undefined;
    return new ApiError(appCode, { fields, cause });
  }
  return new ApiError('INTERNAL_ERROR', { cause });
}

/** The fields that a schema refused, with the reasons. */
export function fieldsOf(error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => ({
    field: issue.path.map(String).join('.'),
    reason: issue.message,
  }));
}
