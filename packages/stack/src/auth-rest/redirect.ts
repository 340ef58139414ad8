/** Where links in mails may lead: to the app, never to where a stranger wants them. */

/** What is allowed. */
export type RedirectRules = { siteUrl: string; redirectUrls: string[] };

/** The wished address if it is allowed, else the site's. */
export function allowedRedirect(wished: string | null, rules: RedirectRules): string {
  return wished !== null && isAllowed(wished, rules) ? wished : rules.siteUrl;
}

function isAllowed(wished: string, { siteUrl, redirectUrls }: RedirectRules): boolean {
  if (!URL.canParse(wished)) return false;
  const url = new URL(wished);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  if (url.username !== '' || url.password !== '') return false;
  const site = new URL(siteUrl);
  if (url.origin === site.origin) return true;
  // One machine by its several names, and its apps on their several ports.
  if (isLoopback(url.hostname) && isLoopback(site.hostname)) return true;
  return redirectUrls.some((pattern) => glob(pattern).test(url.href.split('#')[0] ?? ''));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** `*` stays between dots and slashes, `**` doesn't. */
function glob(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**') return '.*';
      if (part === '*') return '[^./]*';
      if (part === '?') return '[^./]';
      return part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`);
}
