import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'stack',
    include: ['src/**/*.test.ts'],
    // Real servers, on machines that have other things to do.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
