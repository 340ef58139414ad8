import * as z from 'zod';
import { isTracingWanted } from '../tracing/tracing.ts';
import { keySetSchema, type KeySet } from '../certificates/signing-keys.ts';

/** An optional variable: unset and empty are the same, as in most shells and .env files. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
}

/** Where a portal is, without a trailing slash. */
function portalUrl(whose: string, example: string) {
  const error = `set it to the address of the portal for ${whose}, such as ${example}`;
  return optional(
    z.url({ protocol: /^https?$/, error }).transform((url) => url.replace(/\/+$/, '')),
  );
}

/** `post@example.org`, or with a name before it: `Homeroom <post@example.org>`. */
const MAIL_ADDRESS = /^(?:[^<>\r\n]*<[^@\s<>]+@[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+)$/;

const variablesSchema = z.object({
  PUBLIC_SUPABASE_URL: z
    .url({
      protocol: /^https?$/,
      error: 'set it to the URL of the project, such as http://127.0.0.1:54321',
    })
    .transform((url) => url.replace(/\/+$/, '')),
  PUBLIC_SUPABASE_PUBLISHABLE_KEY: z
    .string({ error: 'set it to the publishable key of the project (sb_publishable_…)' })
    .min(1, 'set it to the publishable key of the project (sb_publishable_…)'),
  SUPABASE_SECRET_KEY: optional(z.string()),
  SUPABASE_JWT_SECRET: optional(
    z
      .string()
      .min(
        32,
        'has to be at least 32 characters long; leave it unset to use the JWKS of the project',
      ),
  ),
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error:
      'set it to a connection string, such as postgres://postgres:postgres@127.0.0.1:54322/postgres',
  }),
  DATABASE_POOL_SIZE: optional(
    z.coerce.number({ error: 'set it to a number from 1 to 100' }).int().min(1).max(100),
  ),
  DATABASE_PREPARE: optional(
    z.enum(['true', 'false'], { error: 'set it to true, or to false behind a transaction pooler' }),
  ),
  PUBLIC_STUDENT_URL: portalUrl('students', 'https://learn.example.org'),
  PUBLIC_INSTRUCTOR_URL: portalUrl('instructors', 'https://teach.example.org'),
  SMTP_URL: optional(
    z.url({
      protocol: /^smtps?$/,
      error: 'set it to a mail server, such as smtp://user:password@mail.example.org:587',
    }),
  ),
  MAIL_FROM: optional(
    z
      .string()
      .regex(MAIL_ADDRESS, 'set it to who mails are from, such as Homeroom <post@example.org>'),
  ),
  CREDENTIAL_KEYS: optional(
    z
      .string()
      .transform((text, context) => {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          context.addIssue({ code: 'custom', message: 'is no JSON' });
          return z.NEVER;
        }
      })
      .pipe(keySetSchema),
  ),
  METRICS_TOKEN: optional(
    z.string().min(16, 'has to be at least 16 characters long; leave it unset for loopback only'),
  ),
  MONITORING_SAMPLE: optional(
    z.coerce.number({ error: 'set it to a share from 0 to 1' }).min(0).max(1),
  ),
  STRIPE_WEBHOOK_SECRET: optional(
    z.string().startsWith('whsec_', 'set it to the signing secret of the endpoint (whsec_…)'),
  ),
  LOG_LEVEL: optional(
    z.enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'set it to debug, info, warn, error or silent',
    }),
  ),
});

/** What mails need besides the mail server: who they are from, and where their links lead. */
const NEEDED_FOR_MAIL = ['MAIL_FROM', 'PUBLIC_STUDENT_URL', 'PUBLIC_INSTRUCTOR_URL'] as const;

const environmentSchema = variablesSchema.superRefine((variables, context) => {
  if (variables.SMTP_URL === undefined) return;
  for (const name of NEEDED_FOR_MAIL) {
    if (variables[name] !== undefined) continue;
    const message = 'has to be set where SMTP_URL is: mails are from it, or lead to it';
    context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** How many connections a portal holds by default: a small Postgres allows 60 in all. */
const POOL_SIZE_DEFAULT = 10;

/** What the API needs to know. */
export type Settings = {
  supabaseUrl: string;
  publishableKey: string;
  secretKey?: string | undefined;
  /** The HS256 secret of access tokens; without it the project's JWKS verifies them. */
  jwtSecret?: string | undefined;
  databaseUrl: string;
  poolSize?: number | undefined;
  /** False behind a transaction pooler that doesn't know prepared statements. */
  prepare?: boolean | undefined;
  logLevel?: LogLevel | undefined;
  /** Where students are, without a trailing slash: who signs credentials is named by it. */
  studentUrl?: string | undefined;
  /** Where instructors are, without a trailing slash. */
  instructorUrl?: string | undefined;
  /** The mail server; without it, no digests are sent. */
  smtpUrl?: string | undefined;
  /** Who mails are from: an address, or a name and an address. */
  mailFrom?: string | undefined;
  /** What signs credentials; without it, or without `studentUrl`, there are none. */
  credentialKeys?: KeySet | undefined;
  /** What a scraper of `/metrics` shows as bearer token; without it, only this machine may ask. */
  metricsToken?: string | undefined;
  /** The share of browsers that report how their live connection does, 0 to 1. */
  monitoringSample?: number | undefined;
  /** The signing secret of the webhook that Stripe calls; without it, none is taken. */
  stripeWebhookSecret?: string | undefined;
  /** Whether traces are sent, by OpenTelemetry's own variables. */
  tracing?: boolean | undefined;
  /** Calls a minute, per user and procedure. */
  rateLimits?: { query: number; mutation: number } | undefined;
};

/** From which severity on the API logs. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A variable is missing or wrong; the message names each and says what to set. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Settings from environment variables.
 * @throws SettingsError naming every variable that is missing or wrong, and what to set it to.
 */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new SettingsError(`The settings are not complete.\n  ${lines.join('\n  ')}`);
  }
  const variables = parsed.data;
  return {
    supabaseUrl: variables.PUBLIC_SUPABASE_URL,
    publishableKey: variables.PUBLIC_SUPABASE_PUBLISHABLE_KEY,
    secretKey: variables.SUPABASE_SECRET_KEY,
    jwtSecret: variables.SUPABASE_JWT_SECRET,
    databaseUrl: variables.DATABASE_URL,
    poolSize: variables.DATABASE_POOL_SIZE ?? POOL_SIZE_DEFAULT,
    prepare: variables.DATABASE_PREPARE !== 'false',
    logLevel: variables.LOG_LEVEL ?? 'info',
    studentUrl: variables.PUBLIC_STUDENT_URL,
    instructorUrl: variables.PUBLIC_INSTRUCTOR_URL,
    smtpUrl: variables.SMTP_URL,
    mailFrom: variables.MAIL_FROM,
    credentialKeys: variables.CREDENTIAL_KEYS,
    metricsToken: variables.METRICS_TOKEN,
    monitoringSample: variables.MONITORING_SAMPLE ?? 1,
    stripeWebhookSecret: variables.STRIPE_WEBHOOK_SECRET,
    tracing: isTracingWanted(environment),
  };
}
