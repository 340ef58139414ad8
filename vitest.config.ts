import { defineConfig } from 'vitest/config';

/** One run over every package; each names its own environment and set-up. */
export default defineConfig({
  test: {
    projects: ['packages/*/vitest.config.ts', 'apps/*/vitest.config.ts'],
  },
});
