import { z } from 'zod';
import { inRepository } from './repository.ts';

const port = (fallback: number) =>
  z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(0, 'must be between 0 and 65535')
    .max(65_535, 'must be between 0 and 65535')
    .default(fallback);

const localSchema = z.object({
  STUDENT_PORT: port(5173),
  INSTRUCTOR_PORT: port(5174),
  SUPABASE_PORT: port(54_321),
  POSTGRES_PORT: port(54_322),
  HOMEROOM_DATA: z.string().min(1, 'must name a folder').default(inRepository('.homeroom')),
  CREDENTIAL_KEYS: z.string().optional(),
  HOST: z.string().min(1, 'must name an address').default('127.0.0.1'),
  SMTP_URL: z
    .url({
      protocol: /^smtps?$/,
      error: 'must be a mail server like smtp://user:password@mail.example.org:587',
    })
    .optional(),
  MAIL_FROM: z.string().optional(),
});

const mailSchema = z.object({
  SMTP_URL: z.string(),
  MAIL_FROM: z.string('must say who mails are from, like Homeroom <post@example.org>'),
});

const projectSchema = z.object({
  PUBLIC_SUPABASE_URL: z.url('must be an address like https://<project>.supabase.co'),
  PUBLIC_SUPABASE_PUBLISHABLE_KEY: z.string('must be the publishable key of the project').min(1),
  SUPABASE_SECRET_KEY: z.string('must be the secret key of the project').min(1),
  SUPABASE_JWT_SECRET: z.string().min(1).optional(),
  DATABASE_URL: z.url('must be an address like postgres://user:password@host:5432/postgres'),
});

/** A Supabase project: ours on this machine, or a hosted one. */
export type SupabaseProject = z.infer<typeof projectSchema>;

/** The mail server that is used in place of the local catcher. */
export type MailServer = z.infer<typeof mailSchema>;

/** How this run of Homeroom is set up; every field has an environment variable of the same meaning. */
export type Settings = {
  studentPort: number;
  instructorPort: number;
  supabasePort: number;
  postgresPort: number;
  /** Folder of everything that outlives a run. */
  dataDir: string;
  /** Keys that certificates are signed with, in place of those in the data folder. */
  credentialKeys?: string | undefined;
  /** Address that the servers listen on. */
  host: string;
  /** Given when an existing Supabase project is used in place of the local stack. */
  project: SupabaseProject | null;
  /** Given when mails are to leave this machine. */
  mail: MailServer | null;
};

/** A setting that can't be used, with the variable's name and what it must be. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads the settings from the environment.
 * @throws SettingsError which names each variable at fault and says what it must be.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const local = parse(localSchema, env);
  return {
    studentPort: local.STUDENT_PORT,
    instructorPort: local.INSTRUCTOR_PORT,
    supabasePort: local.SUPABASE_PORT,
    postgresPort: local.POSTGRES_PORT,
    dataDir: local.HOMEROOM_DATA,
    host: local.HOST,
    credentialKeys: local.CREDENTIAL_KEYS,
    // One of them is enough to mean a project of one's own; then the others are missing, by name.
    project: Object.keys(projectSchema.shape).some((name) => isSet(env[name]))
      ? parse(projectSchema, env)
      : null,
    mail: local.SMTP_URL === undefined ? null : parse(mailSchema, env),
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function parse<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => isSet(value)));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return isSet(env[name])
      ? `${name} ${issue.message}; it is "${env[name]}".`
      : `${name} is missing: it ${issue.message}.`;
  });
  throw new SettingsError(lines.join('\n'));
}
