import type { Notification } from '../notifications/contract.ts';

/** A digest that is to be sent, as `private.claim_digest` gives it. */
export type ClaimedDigest = {
  id: string;
  email: string;
  firstName: string;
  role: 'student' | 'instructor' | 'admin';
  timeZone: string;
  frequency: 'daily' | 'weekly';
  /** In the address that turns the digest off. */
  key: string;
  /** How many notifications it is about; `items` are the newest of them. */
  total: number;
  items: Notification[];
};

/** Where the portals are, without a trailing slash. */
export type PortalAddresses = { student: string; instructor: string };

/** What a mail says, and the headers that are its own. */
export type DigestMail = {
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
};

/** What a digest's mail says: in plain words and as simple HTML, each with the same links. */
export function digestMail(digest: ClaimedDigest, portals: PortalAddresses): DigestMail {
  const portal = digest.role === 'student' ? portals.student : portals.instructor;
  const links = {
    all: `${portal}/notifications`,
    settings: `${portal}/settings#digest`,
    stop: `${portals.student}/digest/${digest.key}`,
  };
  const period = digest.frequency === 'daily' ? 'today' : 'this week';
  const subject = `${countWords(digest.total)} on Homeroom`;
  const greeting = digest.firstName === '' ? 'Hello,' : `Hello ${digest.firstName},`;
  const lead = `${countWords(digest.total)} that you have not read yet:`;
  const rest = digest.total - digest.items.length;
  const more = rest > 0 ? `And ${rest} more.` : '';
  const why = `You get this because you asked for a ${digest.frequency} digest.`;
  const items = digest.items.map((item) => ({
    title: oneLine(item.title),
    message: cut(oneLine(item.message)),
    when: momentIn(item.createdAt, digest.timeZone),
    href: `${links.all}?open=${item.id}`,
  }));

  const text = [
    greeting,
    lead,
    ...items.map(({ title, message, when, href }) => `${title} (${when})\n${message}\n${href}`),
    more,
    `All of them: ${links.all}`,
    `--\n${why}\nChange it: ${links.settings}\nTurn it off: ${links.stop}`,
  ];
  const html = [
    `<p>${escapeHtml(greeting)}</p>`,
    `<p>${escapeHtml(lead)}</p>`,
    ...items.map(
      ({ title, message, when, href }) =>
        `<p><a href="${escapeHtml(href)}"><strong>${escapeHtml(title)}</strong></a> ` +
        `<small>${escapeHtml(when)}</small><br>${escapeHtml(message)}</p>`,
    ),
    more === '' ? '' : `<p>${escapeHtml(more)}</p>`,
    `<p><a href="${escapeHtml(links.all)}">See all notifications</a></p>`,
    `<hr><p><small>${escapeHtml(why)} <a href="${escapeHtml(links.settings)}">Change it</a> or ` +
      `<a href="${escapeHtml(links.stop)}">turn it off</a>.</small></p>`,
  ];
  return {
    subject: `${subject}, ${period}`,
    text: `${text.filter((part) => part !== '').join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><body>\n${html.filter((part) => part !== '').join('\n')}\n</body></html>\n`,
    headers: {
      'List-Unsubscribe': `<${links.stop}>`,
      // A mail program's own button posts there, without asking again (RFC 8058).
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      // No robot needs to tell us that someone is on holiday.
      'Auto-Submitted': 'auto-generated',
    },
  };
}

function countWords(count: number): string {
  return count === 1 ? '1 notification' : `${count} notifications`;
}

/** A message in a digest is a reminder of it. */
const MESSAGE_LENGTH_MAX = 280;

function cut(text: string): string {
  const characters = [...text];
  if (characters.length <= MESSAGE_LENGTH_MAX) return text;
  return `${characters.slice(0, MESSAGE_LENGTH_MAX - 1).join('')}…`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function momentIn(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
    timeZone,
  }).format(Date.parse(at));
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;' },
    ...{ '"': '&quot;', "'": '&#39;' },
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
