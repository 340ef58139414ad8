import { bootstrapDatabase, startPostgres } from '@homeroom/stack/testing';
import type { TestProject } from 'vitest/node';
import { migrate } from '../migrations/migrate.ts';

/** Where the tests of a run find their cluster. Plain data: it crosses to the workers. */
export type TestCluster = {
  /** Superuser's address of the database `postgres`. */
  adminUrl: string;
  /** The same as role `postgres`, which is none. */
  url: string;
  /** The migrated database of which each test gets a copy. */
  template: string;
};

declare module 'vitest' {
  export interface ProvidedContext {
    testCluster: TestCluster;
  }
}

const TEMPLATE = 'homeroom_template';

/** Starts a throw-away cluster with a migrated template; stops it after the last test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startPostgres();
  try {
    await cluster.createDatabase(TEMPLATE);
    await bootstrapDatabase(cluster.adminUrl(TEMPLATE));
    await migrate(cluster.url(TEMPLATE));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  project.provide('testCluster', {
    adminUrl: cluster.adminUrl('postgres'),
    url: cluster.url('postgres'),
    template: TEMPLATE,
  });
  return () => cluster.stop();
}
