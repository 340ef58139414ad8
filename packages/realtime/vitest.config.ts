import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'realtime',
    globalSetup: ['@homeroom/db/testing/global-setup'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
