import { fileURLToPath } from 'node:url';

/** packages/db */
export const PACKAGE_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** The folder that the Supabase CLI reads too. */
export const MIGRATIONS_FOLDER = fileURLToPath(
  new URL('../../../../supabase/migrations', import.meta.url),
);
