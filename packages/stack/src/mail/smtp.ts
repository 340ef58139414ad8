/** The mail catcher's other entrance: what apps send by SMTP is kept beside Auth's mails. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { MailMessage } from './mail-message.ts';

/** An entrance that listens. */
export type SmtpCatcher = {
  /** `smtp://127.0.0.1:41025`. */
  smtpUrl: string;
  stop(): Promise<void>;
};

/** A mail of an app is a few kilobytes; 10 MB is what many mail servers take. */
const MAIL_BYTES_MAX = 10 * 1024 * 1024;

/**
 * Listens on this machine only, for whoever asks, without a password and without TLS.
 * @param port 0 for a free one
 */
export async function startSmtp(
  onMail: (mail: MailMessage) => void,
  port = 0,
): Promise<SmtpCatcher> {
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ['STARTTLS'], size: MAIL_BYTES_MAX },
    // Nobody needs to look up the name of this machine.
    disableReverseLookup: true,
    onAuth: (_auth, _session, done) => done(null, { user: 'anybody' }),
    onData(stream, session, done) {
      readMail(
        stream,
        session.envelope.rcptTo.map(({ address }) => address),
      ).then(
        (mails) => {
          mails.forEach(onMail);
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  // What a client does to its own connection is its own affair.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const address = server.server.address() as AddressInfo;
  return {
    smtpUrl: `smtp://127.0.0.1:${address.port}`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** The same mail for each of its recipients, as a mailbox would hold it. */
async function readMail(
  stream: NodeJS.ReadableStream,
  recipients: string[],
): Promise<MailMessage[]> {
  const mail = await PostalMime.parse(await text(stream));
  return recipients.map((to) => ({
    ...{ to: to.toLowerCase(), subject: mail.subject ?? '', text: mail.text ?? '' },
    ...{ kind: 'app', code: null, link: null },
  }));
}
