/// <reference types="node" />
import { defineConfig } from 'drizzle-kit';

/** Run by src/migrations/generate.ts, never by hand. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/**/tables.ts',
  out: process.env.HOMEROOM_MIGRATIONS ?? '../../supabase/migrations',
  casing: 'snake_case',
  migrations: { prefix: 'supabase' },
  entities: { roles: { provider: 'supabase' } },
  schemaFilter: ['public', 'private'],
});
