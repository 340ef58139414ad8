import { throwPageError } from '@homeroom/portal/server';

/** For everybody, also for a verifier that is a page of another site. */
const PUBLIC = { 'access-control-allow-origin': '*', 'x-robots-tag': 'noindex' };

/** Answers with a document that verifiers of credentials read. */
export async function publicDocument(
  load: () => Promise<string | object | undefined>,
  contentType = 'application/json',
): Promise<Response> {
  const document = await load().catch(throwPageError);
  if (document === undefined) return new Response(null, { status: 404, headers: PUBLIC });
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  return new Response(body, {
    headers: { ...PUBLIC, 'content-type': contentType, 'cache-control': 'no-cache' },
  });
}
