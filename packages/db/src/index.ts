export { connect, type ConnectOptions, type Database } from './connect.ts';
export { jobs, type Job } from './jobs.ts';
export * as schema from './schema.ts';
