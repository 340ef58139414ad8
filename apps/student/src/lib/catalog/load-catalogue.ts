import type { RequestEvent } from '@sveltejs/kit';

/** The page of the catalogue that the address asks for. */
export function loadCatalogue({ locals, url }: Pick<RequestEvent, 'locals' | 'url'>) {
  const cursor = url.searchParams.get('after') ?? undefined;
  return locals.caller.catalog.list({ cursor, limit: 24 });
}
