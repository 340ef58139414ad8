/** The page of the mail catcher: plain HTML, no script. */
import type { CaughtMail } from './mailbox.ts';

/** All mails on one page, the latest first. */
export function mailPage(mails: CaughtMail[]): string {
  const list =
    mails.length === 0
      ? '<p class="empty">No mail yet. What Auth sends (confirmations, links to sign in, new passwords) appears here, and what is sent by SMTP.</p>'
      : mails.map(article).join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Mail (${mails.length})</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
  article { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 0.75rem; padding: 1rem 1.25rem; margin: 1rem 0; }
  h1 { font-size: 1.25rem; } h2 { font-size: 1rem; margin: 0; }
  .meta, .empty { opacity: 0.7; font-size: 0.875rem; margin: 0.125rem 0 0.75rem; }
  a { overflow-wrap: anywhere; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; } code { font-size: 1.125rem; letter-spacing: 0.1em; }
</style>
<main>
<h1>Mail that was caught</h1>
${list}
</main>
</html>`;
}

function article(mail: CaughtMail): string {
  const link =
    mail.link === null
      ? `<pre>${escapeHtml(mail.text)}</pre>`
      : `<p><a href="${escapeHtml(mail.link)}">${escapeHtml(mail.link)}</a></p>`;
  const code = mail.code === null ? '' : `<p>Code: <code>${escapeHtml(mail.code)}</code></p>`;
  return `<article>
<h2>${escapeHtml(mail.subject)}</h2>
<p class="meta">to ${escapeHtml(mail.to)}, <time datetime="${mail.sentAt}">${mail.sentAt.replace('T', ' ').slice(0, 19)} UTC</time></p>
${link}${code}
</article>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;' },
    ...{ '"': '&quot;', "'": '&#39;' },
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
