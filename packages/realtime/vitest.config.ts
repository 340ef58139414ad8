import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'realtime',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Waits for `@homeroom/stack/testing`. Then: drop this line, and add
    // `globalSetup: ['@homeroom/db/testing/global-setup']`.
    exclude: [...configDefaults.exclude, '**/real-stack.test.ts'],
  },
});
