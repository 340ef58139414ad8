/**
 * Every error that the API gives, in one list: its HTTP status, a sentence for a person, and what
 * to do about it. A code is for programs and never changes; the sentences may. Portals take them
 * from here, or translate by code. Free of imports, for the browser.
 */
export type ErrorDescription = { status: number; sentence: string; whatToDo: string };

export const ERROR_CODES = {
  // Something in the input isn't valid; `fields` says what and why.
  INPUT_INVALID: {
    status: 400,
    sentence: 'Some of what was sent is not valid.',
    whatToDo: 'Correct the fields that are named, then send it again.',
  },
  // Not signed by the provider, or too long ago.
  WEBHOOK_SIGNATURE_INVALID: {
    status: 400,
    sentence: 'The signature of this webhook does not fit.',
    whatToDo: 'Check that STRIPE_WEBHOOK_SECRET is the signing secret of this endpoint.',
  },
  // A notification is put off until a moment that has passed, or too far away.
  SNOOZE_OUT_OF_RANGE: {
    status: 400,
    sentence: 'A notification can’t be snoozed until then.',
    whatToDo: 'Choose a time between now and a year from now.',
  },
  // A quiz whose questions and answers don’t fit together.
  QUIZ_INVALID: {
    status: 400,
    sentence: 'This is not a quiz that can be taken.',
    whatToDo: 'Correct the questions, then save again.',
  },
  // A lesson twice, or of another course.
  OUTLINE_INVALID: {
    status: 400,
    sentence: 'This arrangement does not fit the course.',
    whatToDo: 'Load the course again, then arrange it.',
  },
  // No session came with the call.
  SESSION_REQUIRED: {
    status: 401,
    sentence: 'You are not signed in.',
    whatToDo: 'Sign in, then try again.',
  },
  // The token was good once.
  SESSION_EXPIRED: {
    status: 401,
    sentence: 'Your session has ended.',
    whatToDo: 'Sign in again.',
  },
  // The token was altered, is signed by someone else, or is of another kind.
  SESSION_INVALID: {
    status: 401,
    sentence: 'Your session is not valid.',
    whatToDo: 'Sign in again.',
  },
  // The course has a price, and the user hasn't paid it.
  PAYMENT_REQUIRED: {
    status: 402,
    sentence: 'This course has a price.',
    whatToDo: 'Pay for it; you are enrolled as soon as the payment has come.',
  },
  // A procedure for services was called without a service key.
  SERVICE_KEY_REQUIRED: {
    status: 401,
    sentence: 'This is for services, and no service key came with the call.',
    whatToDo: 'Send the key in the Authorization header: Bearer hr_…',
  },
  // No such key, or not a whole one.
  SERVICE_KEY_INVALID: {
    status: 401,
    sentence: 'This service key is not known.',
    whatToDo: 'Check that the whole key is sent, or have an administrator make a new one.',
  },
  SERVICE_KEY_EXPIRED: {
    status: 401,
    sentence: 'This service key has expired.',
    whatToDo: 'Have an administrator make a new one.',
  },
  SERVICE_KEY_REVOKED: {
    status: 401,
    sentence: 'This service key was revoked.',
    whatToDo: 'Have an administrator make a new one.',
  },
  // The user exists and may not use Homeroom.
  ACCOUNT_DISABLED: {
    status: 403,
    sentence: 'This account is disabled.',
    whatToDo: 'Ask an administrator to enable it.',
  },
  // The user's role doesn't reach so far.
  ROLE_FORBIDDEN: {
    status: 403,
    sentence: 'Your account may not do this.',
    whatToDo: 'Use an account of an instructor or an administrator.',
  },
  // What is only for those who take part in the course.
  ENROLLMENT_REQUIRED: {
    status: 403,
    sentence: 'You are not enrolled in this course.',
    whatToDo: 'Enroll, then try again.',
  },
  // The lesson is there, and isn’t shown (any more).
  LESSON_UNPUBLISHED: {
    status: 403,
    sentence: 'This lesson is not published.',
    whatToDo: 'Go on with another lesson of the course.',
  },
  // The key is good; `missingScope` says what it lacks.
  SCOPE_MISSING: {
    status: 403,
    sentence: 'This service key lacks a scope.',
    whatToDo: 'Have an administrator make a key with the scope.',
  },
  // A procedure for people was called with a service key.
  SERVICE_KEY_FORBIDDEN: {
    status: 403,
    sentence: 'This is for people: a service key cannot call it.',
    whatToDo: 'Call a procedure of `services`, or send an access token of a user.',
  },
  // Row level security or a missing grant refused it.
  FORBIDDEN: {
    status: 403,
    sentence: 'You may not do this.',
    whatToDo: 'Ask someone who may, or an administrator.',
  },
  // A write with the cookies of a session, sent by a page of another origin.
  ORIGIN_FORBIDDEN: {
    status: 403,
    sentence: 'This call came from another site.',
    whatToDo: 'Call from a page of this portal, or with a token in the Authorization header.',
  },
  // The topic isn't for this user.
  TOPIC_FORBIDDEN: {
    status: 403,
    sentence: 'You may not follow this topic.',
    whatToDo: 'Follow it after you have been given access, for instance by enrolling.',
  },
  // Only its course's staff writes in it.
  THREAD_LOCKED: {
    status: 403,
    sentence: 'This discussion is locked: only instructors can write in it.',
    whatToDo: 'Keep what you have written; ask an instructor, or open a discussion of your own.',
  },
  // Nobody writes in it.
  THREAD_CLOSED: {
    status: 403,
    sentence: 'This discussion is closed.',
    whatToDo: 'Keep what you have written, and open a new discussion.',
  },
  // They share no course, it is switched off there, or one has blocked the other: not said which.
  CONVERSATION_CLOSED: {
    status: 403,
    sentence: 'You cannot write to this person.',
    whatToDo: 'Write in a discussion of the course, or ask an instructor.',
  },
  // No such procedure or route.
  ROUTE_NOT_FOUND: {
    status: 404,
    sentence: 'There is nothing at this address.',
    whatToDo: 'Check the name of the procedure or route.',
  },
  // There is no such announcement of the user's.
  ANNOUNCEMENT_NOT_FOUND: {
    status: 404,
    sentence: 'This announcement is not there.',
    whatToDo: 'Load the list again: it may have been removed.',
  },
  // What was sent is on other people's screens.
  ANNOUNCEMENT_SENT: {
    status: 409,
    sentence: 'This announcement is sent already.',
    whatToDo: 'Write another one to correct it.',
  },
  // There is no such review in a course that the user teaches.
  REVIEW_NOT_FOUND: {
    status: 404,
    sentence: 'This review is not there.',
    whatToDo: 'Load the list again: it may have been taken back.',
  },
  // Also when it is another user's: nobody learns that it exists.
  NOTIFICATION_NOT_FOUND: {
    status: 404,
    sentence: 'This notification does not exist (any more).',
    whatToDo: 'Load the list again.',
  },
  // Also when it isn't published.
  COURSE_NOT_FOUND: {
    status: 404,
    sentence: 'This course does not exist (any more).',
    whatToDo: 'Look for it in the catalogue.',
  },
  // Also when it is of a course that the user isn't in.
  THREAD_NOT_FOUND: {
    status: 404,
    sentence: 'This discussion does not exist (any more).',
    whatToDo: 'Look for it in the list of the course.',
  },
  // Nobody has written yet.
  CONVERSATION_NOT_FOUND: {
    status: 404,
    sentence: 'There is no conversation with this person yet.',
    whatToDo: 'Write the first message.',
  },
  // Also when it is of a thread that the user can't read, or deleted.
  MESSAGE_NOT_FOUND: {
    status: 404,
    sentence: 'This message does not exist (any more).',
    whatToDo: 'Load the discussion again.',
  },
  // Also when it is of a course that the user isn't in, or doesn't teach.
  WORKSHOP_NOT_FOUND: {
    status: 404,
    sentence: 'This workshop does not exist (any more).',
    whatToDo: 'Look for it in the list of workshops.',
  },
  // Nobody has registered, or not any more.
  REGISTRATION_NOT_FOUND: {
    status: 404,
    sentence: 'There is no registration for this workshop.',
    whatToDo: 'Register first, or ask the instructor.',
  },
  // Also when it is of a course that isn’t the author’s.
  LESSON_NOT_FOUND: {
    status: 404,
    sentence: 'This lesson does not exist (any more).',
    whatToDo: 'Look for it in the course.',
  },
  // Of a lesson: published before texts were kept, or in a course that isn’t the author’s.
  VERSION_NOT_FOUND: {
    status: 404,
    sentence: 'What this lesson said then was not kept.',
    whatToDo: 'Look at its other versions.',
  },
  // Also when it is new and wasn’t saved yet.
  MODULE_NOT_FOUND: {
    status: 404,
    sentence: 'This module does not exist (any more).',
    whatToDo: 'Load the course again.',
  },
  // A serial number that we haven’t given, or a certificate of another’s course.
  CERTIFICATE_NOT_FOUND: {
    status: 404,
    sentence: 'There is no such certificate.',
    whatToDo: 'Check the serial number.',
  },
  // No keys to sign with, or no address to say who signs.
  BADGES_NOT_SET_UP: {
    status: 404,
    sentence: 'Digital badges are not set up here.',
    whatToDo: 'Ask an administrator to set CREDENTIAL_KEYS and PUBLIC_STUDENT_URL.',
  },
  // The token is good, but its user has been deleted.
  USER_NOT_FOUND: {
    status: 404,
    sentence: 'This user does not exist (any more).',
    whatToDo: 'Sign in with another account.',
  },
  // Also when it was revoked already.
  SERVICE_KEY_NOT_FOUND: {
    status: 404,
    sentence: 'There is no such key, or it was revoked already.',
    whatToDo: 'Load the list again.',
  },
  // Something that the row refers to doesn't exist.
  REFERENCE_NOT_FOUND: {
    status: 404,
    sentence: 'Something that this refers to does not exist (any more).',
    whatToDo: 'Load the page again.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    sentence: 'This address does not take this method.',
    whatToDo: 'Use one of the methods in the Allow header.',
  },
  // A unique constraint, and the procedure has no word of its own for it.
  ALREADY_EXISTS: {
    status: 409,
    sentence: 'This exists already.',
    whatToDo: 'Load the page again to see it.',
  },
  // A deadlock or a serialization failure: the same call may pass now.
  CONFLICT: {
    status: 409,
    sentence: 'Someone else changed this at the same moment.',
    whatToDo: 'Try again.',
  },
  // It has ended, or was cancelled.
  WORKSHOP_OVER: {
    status: 409,
    sentence: 'This workshop is over.',
    whatToDo: 'Look for the next one.',
  },
  // The secret in a calendar's address was replaced or removed, or never was one.
  CALENDAR_NOT_FOUND: {
    status: 404,
    sentence: 'There is no calendar at this address (any more).',
    whatToDo: 'Take the address of yours from the page of workshops.',
  },
  // Outside of the workshop's window, or too long ago.
  CHECK_IN_CLOSED: {
    status: 409,
    sentence: 'One cannot check in to this workshop at that time.',
    whatToDo: 'Ask the instructor to check you in.',
  },
  // A place can't be given back by who was there.
  ALREADY_CHECKED_IN: {
    status: 409,
    sentence: 'You have been checked in already.',
    whatToDo: 'Ask the instructor if that is not right.',
  },
  // Not the code of that moment.
  CODE_WRONG: {
    status: 400,
    sentence: 'This is not the code that is shown.',
    whatToDo: 'Look at the screen again: the code changes every 30 seconds.',
  },
  // A quiz is completed by passing it.
  QUIZ_NOT_PASSED: {
    status: 409,
    sentence: 'This lesson is done when its quiz is passed.',
    whatToDo: 'Take the quiz.',
  },
  // Answers for a lesson of another kind.
  NOT_A_QUIZ: {
    status: 409,
    sentence: 'This lesson has no quiz.',
    whatToDo: 'Load the lesson again.',
  },
  // The answers are for an earlier revision of the lesson.
  QUIZ_CHANGED: {
    status: 409,
    sentence: 'The quiz was changed while you answered; nothing was counted.',
    whatToDo: 'Look at what has changed, then hand in again.',
  },
  // The quiz limits how often one may try.
  ATTEMPTS_EXHAUSTED: {
    status: 409,
    sentence: 'You have no attempt left at this quiz.',
    whatToDo: 'Look at the answers, and ask your instructor.',
  },
  // The save began from an older version than the one that is there.
  DRAFT_CONFLICT: {
    status: 409,
    sentence: 'Someone else saved this before you did.',
    whatToDo: 'Look at their version; yours is still on your screen.',
  },
  // Only what was published can be archived.
  COURSE_NOT_PUBLISHED: {
    status: 409,
    sentence: 'This course has not been published yet.',
    whatToDo: 'Publish it first.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    sentence: 'The call is too large.',
    whatToDo: 'Send less at once.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    sentence: 'The API takes JSON only.',
    whatToDo: 'Send the header Content-Type: application/json.',
  },
  // `retryAfterSeconds` says how long to wait.
  TOO_MANY_REQUESTS: {
    status: 429,
    sentence: 'Too many calls in a short time.',
    whatToDo: 'Wait as long as it says, then try again.',
  },
  // An instructor wants this discussion to go slowly; `retryAfterSeconds` says how slowly.
  SLOW_MODE: {
    status: 429,
    sentence: 'This discussion is in slow mode.',
    whatToDo: 'Wait as long as it says, then send it.',
  },
  INTERNAL_ERROR: {
    status: 500,
    sentence: 'Something went wrong on our side.',
    whatToDo: 'Try again; if it stays, report the request id.',
  },
  // The portal runs without the provider's secret.
  WEBHOOK_NOT_CONFIGURED: {
    status: 503,
    sentence: 'This portal takes no webhooks of Stripe: its signing secret is not set.',
    whatToDo: 'Set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint (whsec_…).',
  },
  // The database can't be reached, or ran out of time.
  UNAVAILABLE: {
    status: 503,
    sentence: 'Homeroom cannot reach its database at the moment.',
    whatToDo: 'Try again in a few seconds.',
  },
} as const satisfies Record<string, ErrorDescription>;

/** The stable code of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a text, such as the message of a raised Postgres error, is one of our codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** A field of the input, as `items.0.type`, with the reason why it isn't valid. */
export type FieldError = { field: string; reason: string };
