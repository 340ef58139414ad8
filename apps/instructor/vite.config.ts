import { newestMigration } from '@homeroom/db/migrate';
import { scriptChunks, scriptTreeshake } from '@homeroom/portal/chunks';
import { contentSecurityPolicy } from '@homeroom/portal/csp';
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  // What `/ready` asks the database for: the build knows what it was built for.
  define: { 'process.env.HOMEROOM_MIGRATION': JSON.stringify(await newestMigration()) },
  environments: {
    client: {
      build: {
        rolldownOptions: { output: { codeSplitting: scriptChunks }, treeshake: scriptTreeshake },
      },
    },
  },
  plugins: [tailwindcss(), sveltekit({ adapter: adapter(), csp: contentSecurityPolicy })],
});
