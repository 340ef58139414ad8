/** What went wrong, in a form that a store can keep and a component can show. */
export type LiveError = {
  /** Stable; the API's own codes where it answered with one. */
  code: string;
  /** A sentence for the person in front of the screen. */
  message: string;
  /** Whether it is tried again by itself, or may succeed when the person tries again. */
  retryable: boolean;
  /** How long the server asks to wait before that. */
  retryAfterSeconds?: number;
};

/**
 * Answers of the API that trying again doesn't change: bad input, no right, no such thing. A missing
 * session isn't among them: two tabs that refresh one session at once may see that for a moment.
 */
const FINAL_HTTP_STATUSES: ReadonlySet<number> = new Set([400, 403, 404]);

/** So is a conflict, unless it is one of moments: `CONFLICT` may pass when it is tried again. */
function isFinal(httpStatus: number, appCode: string | undefined): boolean {
  return FINAL_HTTP_STATUSES.has(httpStatus) || (httpStatus === 409 && appCode !== 'CONFLICT');
}

const UNREACHABLE: LiveError = {
  code: 'UNREACHABLE',
  message: "We can't reach Homeroom just now. What you see is the last we know; we keep trying.",
  retryable: true,
};

/** Codes of this package; the API has its own. */
export const LIVE_ERRORS = {
  topicForbidden: {
    code: 'TOPIC_FORBIDDEN',
    message: 'You no longer have access to this, so it has stopped updating.',
    retryable: false,
  },
  signedOut: {
    code: 'SIGNED_OUT',
    message: 'You are signed out. Sign in again to see what is new.',
    retryable: false,
  },
} as const satisfies Record<string, LiveError>;

/** An error of ours that carries a {@link LiveError}. */
export class RealtimeError extends Error {
  readonly live: LiveError;
  constructor(live: LiveError) {
    super(live.message);
    this.name = 'RealtimeError';
    this.live = live;
  }
}

/** A tRPC client's error, as far as we look at it (structural: the class stays out of the bundle). */
type ApiError = { message: string; data: ApiErrorData };
type ApiErrorData = { httpStatus?: number; appCode?: string; retryAfterSeconds?: number };

function isApiError(error: unknown): error is ApiError {
  return (
    error instanceof Error && 'data' in error && typeof error.data === 'object' && !!error.data
  );
}

/** Turns whatever a call threw into something to keep and show. */
export function toLiveError(error: unknown): LiveError {
  if (error instanceof RealtimeError) return error.live;
  if (!isApiError(error)) return UNREACHABLE; // fetch failed: no answer came
  const { httpStatus = 500, appCode, retryAfterSeconds } = error.data;
  return {
    code: appCode ?? `HTTP_${httpStatus}`,
    message: error.message,
    retryable: !isFinal(httpStatus, appCode),
    ...(retryAfterSeconds && { retryAfterSeconds }),
  };
}

/** The same for what a person asked for, which isn't tried again by itself. */
export function toChangeError(error: unknown): LiveError {
  const live = toLiveError(error);
  if (live.code !== UNREACHABLE.code) return live;
  return { ...live, message: "That wasn't saved: we can't reach Homeroom. Try again in a moment." };
}
