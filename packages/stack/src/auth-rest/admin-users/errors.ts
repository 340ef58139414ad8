import postgres from 'postgres';
import { ZodError } from 'zod';

/** An error as GoTrue tells it. */
export class AuthError extends Error {
  override name = 'AuthError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.code = code;
  }

  /** Clients name the API's version they know; before the first, `code` was the status. */
  toResponse(request: Request): Response {
    const knowsCodes = request.headers.get('x-supabase-api-version') !== null;
    const body = knowsCodes
      ? { code: this.code, message: this.message }
      : { code: this.status, error_code: this.code, msg: this.message };
    const headers = { 'x-sb-error-code': this.code, 'x-supabase-api-version': '2024-01-01' };
    return Response.json(body, { status: this.status, headers });
  }
}

/** Bad input and refused rows in the words of GoTrue; anything else is passed on. */
export function toAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    const field = issue?.path.join('.') ?? '';
    return new AuthError(
      400,
      'validation_failed',
      `${field}: ${issue?.message ?? 'invalid'}`,
      error,
    );
  }
  if (error instanceof postgres.PostgresError) {
    if (error.constraint_name === 'users_email_partial_key') {
      const sentence = 'A user with this email address has already been registered';
      return new AuthError(422, 'email_exists', sentence, error);
    }
    if (error.constraint_name === 'users_phone_key') {
      const sentence = 'A user with this phone number has already been registered';
      return new AuthError(422, 'phone_exists', sentence, error);
    }
    if (error.constraint_name === 'users_pkey') {
      return new AuthError(422, 'user_already_exists', 'A user with this id exists', error);
    }
    // What a trigger of the app's refuses.
    return new AuthError(500, 'unexpected_failure', `Database error: ${error.message}`, error);
  }
  throw error;
}
