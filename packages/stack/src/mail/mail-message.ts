/** Mails of Auth: what they say, and where their links lead. Pure. */

/** A mail as the catcher keeps it. */
export type MailMessage = {
  to: string;
  subject: string;
  text: string;
  /** Why it was sent. */
  kind: MailKind;
  /** The one-time code that can be typed instead of following the link. */
  code: string | null;
  link: string | null;
};

/** Mails with a link. */
export const LINK_KINDS = [
  'confirmation',
  'magic_link',
  'recovery',
  'email_change',
  'invite',
] as const;
type LinkKind = (typeof LINK_KINDS)[number];
/** Those of Auth, and (`app`) those that an app sent by SMTP. */
type MailKind = LinkKind | 'reauthentication' | 'app';

/**
 * The subject that Auth is told to use: it carries, for {@link composeMail}, what the mail must
 * say. The library fills in the variables.
 */
export function subjectFor(kind: LinkKind): string {
  return `${kind} {{ .Token }} {{ .TokenHash }}`;
}

const WORDS: Record<LinkKind, { subject: string; sentence: string; type: string }> = {
  confirmation: {
    subject: 'Confirm your address',
    sentence: 'Welcome! Follow this link to confirm your address',
    type: 'email',
  },
  magic_link: {
    subject: 'Your link to sign in',
    sentence: 'Follow this link to sign in',
    type: 'email',
  },
  recovery: {
    subject: 'Choose a new password',
    sentence: 'Follow this link to choose a new password',
    type: 'recovery',
  },
  email_change: {
    subject: 'Confirm your new address',
    sentence: 'Follow this link to confirm the change of your address',
    type: 'email_change',
  },
  invite: {
    subject: 'You are invited',
    sentence: 'Follow this link to accept the invitation',
    type: 'invite',
  },
};

/** Makes the mail out of what Auth handed over. */
export function composeMail(
  { to, subject, text = '' }: { to: string; subject: string; text?: string },
  redirectTo: string,
): MailMessage {
  const [kind, code, tokenHash] = subject.split(' ');
  const linkKind = LINK_KINDS.find((known) => known === kind);
  if (linkKind === undefined || code === undefined || tokenHash === undefined) {
    return {
      ...{ to, subject, text, kind: 'reauthentication', link: null },
      code: /\b\d{6,10}\b/.exec(text)?.[0] ?? null,
    };
  }
  const words = WORDS[linkKind];
  const link = confirmLink(redirectTo, tokenHash, words.type);
  return {
    ...{ to, subject: words.subject, kind: linkKind, code, link },
    text: `${words.sentence}:\n\n${link}\n\nOr enter this code: ${code}\n\nIf you didn't ask for this, ignore it.`,
  };
}

/**
 * The app's own page, `/auth/confirm?token_hash=…&type=…&next=…`, which calls `verifyOtp`: a token
 * in the link works on any device. `next` is the path that the request wanted to end at.
 */
function confirmLink(redirectTo: string, tokenHash: string, type: string): string {
  const target = new URL(redirectTo);
  const link = new URL('/auth/confirm', target.origin);
  if (target.pathname === link.pathname) link.search = target.search;
  link.searchParams.set('token_hash', tokenHash);
  link.searchParams.set('type', type);
  const next = target.pathname + target.search;
  if (target.pathname !== link.pathname && next !== '/') link.searchParams.set('next', next);
  return link.href;
}
