import type { Database } from '@homeroom/db';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import { digestMail, type ClaimedDigest, type PortalAddresses } from './digest-mail.ts';
import type { Mailer } from './mailer.ts';

/** How often we look: a digest is due at the hour, and nobody waits for the second. */
const LOOK_MS = 10_000;

/** How many are sent at once: as many as a small mail server takes from one place. */
const AT_ONCE = 4;

/** Sends the digests that the database has made. */
export type DigestSender = {
  /** Sends what waits, and gives how many mails went out. */
  send(): Promise<number>;
  /** Looks again and again, until `close`. Several processes may: each digest is taken once. */
  start(): void;
  /** Looks no more, and waits for the mails that are under way. */
  close(): Promise<void>;
};

/** Makes the sender of a process. It works as role `postgres`, for no user. */
export function createDigestSender(
  database: Database,
  mailer: Mailer,
  portals: PortalAddresses,
  log: Logger,
): DigestSender {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<number> | undefined;
  let isClosed = false;

  async function drain(): Promise<number> {
    let sent = 0;
    while (!isClosed) {
      const [row] = await database.execute<{ digest: ClaimedDigest | null }>(
        sql`select private.claim_digest() as "digest"`,
      );
      if (!row?.digest) break;
      if (await sendOne(row.digest)) sent += 1;
    }
    return sent;
  }

  async function sendOne(digest: ClaimedDigest): Promise<boolean> {
    const { id } = digest;
    let fault: string | null = null;
    try {
      await mailer({ id, to: digest.email, ...digestMail(digest, portals) });
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
      log.warn({ digestId: id, err: error }, 'a digest was not sent');
    }
    await database.execute(sql`select private.end_digest(${id}::uuid, ${fault}::text)`);
    return fault === null;
  }

  async function send(): Promise<number> {
    underWay ??= Promise.all(Array.from({ length: AT_ONCE }, drain))
      .then((counts) => counts.reduce((sum, count) => sum + count, 0))
      .finally(() => (underWay = undefined));
    return underWay;
  }

  async function look(): Promise<void> {
    try {
      const sent = await send();
      if (sent > 0) log.info({ sent }, 'digests were sent');
    } catch (error) {
      // The database is away; what was taken is taken again after its lease.
      log.warn({ err: error }, 'digests were not looked for');
    }
    if (!isClosed) timer = setTimeout(() => void look(), LOOK_MS).unref();
  }

  return {
    send,
    start: () => void look(),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await underWay?.catch(() => undefined); // `look` has told it.
    },
  };
}
