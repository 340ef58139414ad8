/**
 * What a page of a portal may load, for `csp` in vite.config.ts; SvelteKit adds the nonces of its
 * own scripts. Where it may connect to is known only when the server runs: see {@link allowConnect}.
 */
export const contentSecurityPolicy = {
  mode: 'auto' as const,
  directives: {
    'default-src': ['self' as const],
    'script-src': ['self' as const],
    // `style` attributes (a progress bar's width) can't carry a nonce.
    'style-src': ['self' as const, 'unsafe-inline' as const],
    'img-src': ['self' as const, 'data:' as const, 'https:' as const],
    'media-src': ['self' as const, 'https:' as const],
    'font-src': ['self' as const, 'data:' as const],
    'connect-src': ['self' as const],
    'base-uri': ['self' as const],
    'form-action': ['self' as const],
    'frame-ancestors': ['none' as const],
    'object-src': ['none' as const],
  },
};

/** The same policy, with the Supabase project that the page may also connect to, over HTTP and socket. */
export function allowConnect(policy: string, supabaseUrl: string): string {
  const { origin } = new URL(supabaseUrl);
  return policy.replace(
    "connect-src 'self'",
    `connect-src 'self' ${origin} ${origin.replace(/^http/, 'ws')}`,
  );
}
