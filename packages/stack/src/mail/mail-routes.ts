/**
 * `/mail`: the page, and `/mail/api/messages` as JSON (`?to=` one address; DELETE forgets all).
 * Whoever reads these mails can sign in as anyone, so only this machine may, addressed by a name
 * of this machine: a web page elsewhere can't get at them by a name of its own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Mailbox } from './mailbox.ts';
import { mailPage } from './mail-page.ts';

/** Answers a request if its path is the catcher's; returns whether it was. */
export function handleMail(
  request: IncomingMessage,
  response: ServerResponse,
  mailbox: Mailbox,
): boolean {
  const url = new URL(request.url ?? '/', 'http://stack');
  if (url.pathname !== '/mail' && !url.pathname.startsWith('/mail/')) return false;
  if (!isFromThisMachine(request)) {
    response.writeHead(403).end('Mails can be read on this machine only, at http://127.0.0.1.');
  } else if (url.pathname === '/mail/api/messages') {
    messages(request, response, mailbox, url);
  } else if (url.pathname === '/mail' || url.pathname === '/mail/') {
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    };
    response.writeHead(200, headers).end(mailPage(mailbox.list()));
  } else {
    response.writeHead(404).end('Not found');
  }
  return true;
}

function messages(
  request: IncomingMessage,
  response: ServerResponse,
  mailbox: Mailbox,
  url: URL,
): void {
  const json = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  switch (request.method) {
    case 'GET':
      response
        .writeHead(200, json)
        .end(JSON.stringify(mailbox.list(url.searchParams.get('to') ?? undefined)));
      return;
    case 'DELETE':
      mailbox.clear();
      response.writeHead(204).end();
      return;
    default:
      response.writeHead(405, { allow: 'GET, DELETE' }).end();
  }
}

function isFromThisMachine(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return (
    /^(::ffff:)?127\.|^::1$/.test(address) &&
    (host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host))
  );
}
