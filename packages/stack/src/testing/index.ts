/** What tests of an app start: a throw-away Postgres, and Supabase on any database of it. */
export { bootstrapDatabase } from '../bootstrap/bootstrap.ts';
export { type Postgres, type PostgresOptions, startPostgres } from './throw-away-postgres.ts';

export function startGateway(_options: {
  dbUrl: string;
  adminUrl: string;
  jwtSecret?: string;
}): Promise<{
  apiUrl: string;
  publishableKey: string;
  secretKey: string;
  jwtSecret: string;
  mailUrl: string;
  stopRealtime(): Promise<void>;
  startRealtime(): Promise<void>;
  stop(): Promise<void>;
}> {
  throw new Error('not yet');
}
