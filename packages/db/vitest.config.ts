import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'db',
    include: ['src/**/*.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    // Each test makes a database of its own; some hold fifty connections.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
