import type { Settings } from '../server/settings.ts';

/** A mail to one person. `id` is the same however often the mail is sent. */
export type Mail = {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
};

/** Sends a mail. It rejects when the mail server didn't take it. */
export type Mailer = (mail: Mail) => Promise<void>;

/** Far less than a digest's lease: who hangs has given up before another takes over. */
const PATIENCE_MS = { connectionTimeout: 20_000, greetingTimeout: 20_000, socketTimeout: 60_000 };

/** The mailer of the settings; null where no mail server is set. */
export function createMailer({ smtpUrl, mailFrom }: Settings): Mailer | null {
  if (smtpUrl === undefined || mailFrom === undefined) return null;
  const domain = /@([^>\s]+)>?$/.exec(mailFrom)?.[1] ?? 'localhost';
  let transport: ReturnType<typeof connect> | undefined;
  return async ({ id, ...mail }) => {
    transport ??= connect(smtpUrl);
    await (await transport).sendMail({ ...mail, from: mailFrom, messageId: `<${id}@${domain}>` });
  };
}

/** Loaded with the first mail: most processes never send one. */
async function connect(smtpUrl: string) {
  const { createTransport } = await import('nodemailer');
  return createTransport({ url: smtpUrl, ...PATIENCE_MS });
}
