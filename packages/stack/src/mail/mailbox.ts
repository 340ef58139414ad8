/** The local mail catcher's store: the latest mails, kept over restarts. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { LINK_KINDS, type MailMessage } from './mail-message.ts';

const storedMails = z.array(
  z.object({
    id: z.string(),
    sentAt: z.string(),
    to: z.string(),
    subject: z.string(),
    text: z.string(),
    kind: z.enum([...LINK_KINDS, 'reauthentication', 'app']),
    code: z.string().nullable(),
    link: z.string().nullable(),
  }),
);

/** A mail that was caught; `sentAt` is an ISO time. */
export type CaughtMail = MailMessage & { id: string; sentAt: string };

/** The mails of one stack. */
export type Mailbox = {
  /** The latest first; those to one address if given. */
  list(to?: string): CaughtMail[];
  add(mail: MailMessage): void;
  clear(): void;
  /** Resolves when everything is written. */
  settled(): Promise<void>;
};

/** Enough to find the one just sent; nobody archives here. */
const KEPT_MAILS = 200;

/** Opens the mailbox of a file, or one in memory. */
export async function openMailbox(file?: string): Promise<Mailbox> {
  let mails = file === undefined ? [] : await readMails(file);
  let written = Promise.resolve();
  const changed = () => {
    if (file === undefined) return;
    const text = JSON.stringify(mails, null, 2);
    written = written.then(async () => {
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
    });
    // A disk that is full costs the mails of after a restart, not Auth.
    written = written.catch((error: unknown) => console.error(`${file}: ${String(error)}`));
  };
  return {
    list: (to) =>
      to === undefined ? mails : mails.filter((mail) => mail.to === to.trim().toLowerCase()),
    add(mail) {
      const caught = { ...mail, id: randomUUID(), sentAt: new Date().toISOString() };
      mails = [caught, ...mails].slice(0, KEPT_MAILS);
      changed();
    },
    clear() {
      mails = [];
      changed();
    },
    settled: () => written,
  };
}

/** What can't be read is left behind: mails of yesterday are no reason not to start. */
async function readMails(file: string): Promise<CaughtMail[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  try {
    return storedMails.parse(JSON.parse(text));
  } catch (error) {
    console.error(`${file} can't be understood, beginning with no mails: ${String(error)}`);
    return [];
  }
}
