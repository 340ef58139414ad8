/**
 * Auth and REST, in a thread of their own: hashing a password takes a tenth of a second of pure
 * JavaScript, during which the thread of the sockets must go on.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { MailMessage } from '../mail/mail-message.ts';
import type { AuthRestSettings, FromWorker, ToWorker, WireRequest, WireResponse } from './wire.ts';

/** Auth and REST of one database. */
export type AuthRest = {
  /** The thread that answers. */
  threadId: number;
  /** Answers a request of /auth/v1 or /rest/v1. */
  handle(request: WireRequest): Promise<WireResponse>;
  close(): Promise<void>;
};

/** What happens beside the answers. */
export type AuthRestEvents = {
  onMail(mail: MailMessage): void;
  onFailure(message: string): void;
  /** What the library prints. */
  onOutput(line: string): void;
};

/** From the sources, or as the package is built. */
const WORKER = import.meta.url.endsWith('.ts')
  ? new URL('./worker.ts', import.meta.url)
  : new URL('./worker.js', import.meta.url);

/** Starts the worker and waits until it can answer. */
export async function startAuthRest(
  settings: AuthRestSettings,
  events: AuthRestEvents,
): Promise<AuthRest> {
  const worker = new Worker(WORKER, {
    workerData: settings,
    ...{ stdout: true, stderr: true },
  });
  for (const output of [worker.stdout, worker.stderr]) {
    createInterface({ input: output }).on('line', (line) => events.onOutput(line));
  }
  const waiting = new Map<number, (response: WireResponse) => void>();
  let lastId = 0;
  let isClosing = false;
  let hasEnded = false;
  const send = (message: ToWorker) => worker.postMessage(message);

  const ready = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'ready':
          return resolve();
        case 'mail':
          return events.onMail(message.mail);
        case 'failure':
          return events.onFailure(message.message);
        case 'response':
          waiting.get(message.id)?.(message.response);
          waiting.delete(message.id);
      }
    });
    worker.on('error', (error) => {
      events.onFailure(`Auth and REST ended: ${String(error)}`);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
  worker.on('exit', (code) => {
    hasEnded = true;
    if (!isClosing) events.onFailure(`Auth and REST ended with code ${code}`);
    for (const answer of waiting.values()) answer(gone);
    waiting.clear();
  });
  await ready;

  return {
    threadId: worker.threadId,
    handle(request) {
      if (isClosing || hasEnded) return Promise.resolve(gone);
      return new Promise((resolve) => {
        lastId += 1;
        waiting.set(lastId, resolve);
        send({ kind: 'request', id: lastId, request });
      });
    },
    async close() {
      isClosing = true;
      if (hasEnded) return;
      const exit = once(worker, 'exit');
      send({ kind: 'close' });
      await exit;
    },
  };
}

const gone: WireResponse = {
  status: 503,
  headers: [['content-type', 'application/json']],
  body: new TextEncoder().encode('{"message":"Auth and REST are not running"}'),
};
