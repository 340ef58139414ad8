/**
 * How a portal's scripts are bundled (`output.codeSplitting` of Rolldown). By itself, each set of
 * pages that share something gets a chunk: some fifty small files for a first page, which compress
 * badly. Three groups make it half as many and smaller; a module that few pages use stays with them.
 */
export const scriptChunks = {
  groups: [
    {
      name: 'svelte',
      priority: 3,
      // Not the entry: SvelteKit looks for a chunk of its own of what that loads.
      test: /node_modules\/(svelte|@sveltejs|devalue|esm-env|clsx)\/(?!.*entry\.js$)/,
    },
    {
      name: 'live',
      priority: 2,
      test: /@supabase|@trpc|packages\/realtime\/src\/(connection|topic|live-query|outbox|monitoring)/,
    },
    {
      name: 'shell',
      priority: 1,
      test: /@lucide|packages\/(ui|portal|realtime)\//,
      minShareCount: 6,
    },
  ],
};

/** Packages that don't say so themselves, and do nothing when they are loaded but not used. */
export const scriptTreeshake = {
  moduleSideEffects: [{ test: /node_modules\/@(trpc|supabase\/phoenix)\//, sideEffects: false }],
};
