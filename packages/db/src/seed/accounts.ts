import { sql } from 'drizzle-orm';
import type { Database } from '../connect.ts';
import { DEMO_PASSWORD_HASH, type Person } from './people.ts';
import { idOf } from './random.ts';
import { DAY_MS, iso } from './time.ts';

/**
 * Writes people who can sign in. Two statements for all of them, where the Auth admin API would
 * take a call and a password hash for each. The columns of `auth.users` differ between versions
 * of Supabase Auth and the local one: what a database doesn't have, or makes by itself, is left
 * out; what hosted Auth wants to be an empty text rather than null is one.
 */
export async function writePeople(
  database: Pick<Database, 'execute'>,
  people: Person[],
  now: Date,
) {
  const createdAt = (one: Person) => iso(now.getTime() - one.joinedDaysAgo * DAY_MS);
  await insertKnown(
    database,
    'users',
    people.map((one) => ({
      instance_id: '00000000-0000-0000-0000-000000000000',
      id: one.id,
      aud: 'authenticated',
      role: 'authenticated',
      email: one.email,
      encrypted_password: DEMO_PASSWORD_HASH,
      email_confirmed_at: createdAt(one),
      confirmed_at: createdAt(one),
      raw_app_meta_data: { provider: 'email', providers: ['email'] },
      raw_user_meta_data: {
        sub: one.id,
        email: one.email,
        email_verified: true,
        phone_verified: false,
        first_name: one.firstName,
        last_name: one.lastName,
      },
      is_sso_user: false,
      is_anonymous: false,
      created_at: createdAt(one),
      updated_at: createdAt(one),
      ...EMPTY_TOKENS,
    })),
  );
  await insertKnown(
    database,
    'identities',
    people.map((one) => ({
      id: idOf('identity', one.id),
      provider_id: one.id,
      provider: 'email',
      user_id: one.id,
      identity_data: { sub: one.id, email: one.email, email_verified: true, phone_verified: false },
      last_sign_in_at: createdAt(one),
      created_at: createdAt(one),
      updated_at: createdAt(one),
    })),
  );
  // The trigger on auth.users has made the profiles, all of them students.
  const profiles = people.map((one) => ({
    id: one.id,
    role: one.role,
    time_zone: one.timeZone,
    created_at: createdAt(one),
  }));
  await database.execute(sql`
    update public.users
    set role = given.role, time_zone = given.time_zone, created_at = given.created_at,
      updated_at = given.created_at
    from jsonb_to_recordset(${JSON.stringify(profiles)}::jsonb)
      as given (id uuid, role text, time_zone text, created_at timestamptz)
    where users.id = given.id`);
}

/** Hosted Auth can't read a null in these. */
const EMPTY_TOKENS = Object.fromEntries(
  [
    'confirmation_token',
    'recovery_token',
    'email_change',
    'email_change_token_new',
    'email_change_token_current',
    'phone_change',
    'phone_change_token',
    'reauthentication_token',
  ].map((column) => [column, '']),
);

async function insertKnown(
  database: Pick<Database, 'execute'>,
  name: 'users' | 'identities',
  rows: Record<string, unknown>[],
) {
  const known = await database.execute<{ name: string }>(sql`
    select attname as name
    from pg_attribute
    where attrelid = ${`auth.${name}`}::regclass
      and attnum > 0 and not attisdropped and attgenerated = ''`);
  const names = new Set(known.map((column) => column.name));
  const columns = sql.join(
    Object.keys(rows[0] ?? {})
      .filter((column) => names.has(column))
      .map((column) => sql.identifier(column)),
    sql`, `,
  );
  const table = sql`auth.${sql.identifier(name)}`;
  await database.execute(sql`
    insert into ${table} (${columns})
    select ${columns}
    from jsonb_populate_recordset(null::${table}, ${JSON.stringify(rows)}::jsonb)`);
}
