/** What tests of an app start: a throw-away Postgres, and Supabase on any database of it. */
export { bootstrapDatabase } from '../bootstrap/bootstrap.ts';
export { type Gateway, type GatewayOptions, startGateway } from './throw-away-gateway.ts';
export { type Postgres, type PostgresOptions, startPostgres } from './throw-away-postgres.ts';
