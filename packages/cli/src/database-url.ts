import { stackStatus } from '@homeroom/stack';
import { readSettings } from './settings.ts';

/** The database to work with: that of the settings, else of the stack that runs; null without one. */
export async function databaseUrl(): Promise<string | null> {
  const { project, dataDir } = readSettings(process.env);
  if (project !== null) return project.DATABASE_URL;
  return (await stackStatus(dataDir))?.dbUrl ?? null;
}
