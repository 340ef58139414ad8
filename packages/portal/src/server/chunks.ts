/**
 * How a portal's scripts are bundled (`output.codeSplitting` of Rolldown). By itself, each set of
 * pages that share something gets a chunk: some fifty small files for a first page, which compress
 * badly. A few groups make it a third as many and smaller; a module that few pages use stays with them.
 */
export const scriptChunks = {
  groups: [
    {
      name: 'svelte',
      priority: 5,
      // Not the entry: SvelteKit looks for a chunk of its own of what that loads. Nor what forms need.
      test: /node_modules\/(svelte|@sveltejs|devalue|esm-env|clsx)\/(?!.*(entry|app\/forms\/\w+)\.js$)|vite\/preload-helper|rolldown\/runtime/,
    },
    {
      name: 'live',
      priority: 4,
      test: /@supabase|@trpc|packages\/realtime\/src\/(connection|topic|live-query|outbox|monitoring)/,
    },
    {
      name: 'shell',
      priority: 3,
      test: /@lucide|packages\/(ui|portal|realtime)\//,
      minShareCount: 6,
    },
    // Each with all that it needs: what stands around a signed-in page, and of it what visitors have.
    { name: 'frame', priority: 1, test: /routes\/\(app\)\/\+layout\.svelte/ },
    { name: 'connected', priority: 2, test: /portal\/src\/shell\/LivePortal\.svelte/ },
    { name: 'visitors', priority: 2, test: /ui\/src\/Wordmark\.svelte/ },
  ],
};

/** What does nothing when it is loaded but not used, and doesn't say so itself. */
export const scriptTreeshake = {
  moduleSideEffects: [
    { test: /node_modules\/@(trpc|supabase\/phoenix)\//, sideEffects: false },
    { test: /svelte\/src\/.*\/custom-element\.js$/, sideEffects: false },
  ],
};
