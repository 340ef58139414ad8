/** A Realtime server in a process of its own, which can be killed and whose memory is its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { machineLimits, startRealtimeServer, type RealtimeLimits } from '../index.ts';

/** What the parent asks; each question is answered by one message. */
export type Question =
  | {
      ask: 'start';
      adminUrl: string;
      jwtSecret: string;
      port: number;
      limits: Partial<RealtimeLimits>;
    }
  | { ask: 'memory' }
  | { ask: 'setClock'; offsetMs: number };
export type Answer = { port: number } | Memory | { offsetMs: number };
/** After a collection of what nobody needs, in bytes. */
export type Memory = { used: number; resident: number };

const realNow = Date.now;

process.on('message', (question: Question) => {
  switch (question.ask) {
    case 'memory':
      process.send?.(memory());
      return;
    case 'setClock':
      Date.now = () => realNow() + question.offsetMs;
      process.send?.({ offsetMs: question.offsetMs });
      return;
    case 'start':
      void start(question).then((answer) => process.send?.(answer));
  }
});
process.once('disconnect', () => process.exit(0));

function memory(): Memory {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}

async function start(options: Question & { ask: 'start' }): Promise<{ port: number }> {
  const { adminUrl, jwtSecret, limits } = options;
  const keys = { jwtSecret, publishableKey: 'sb_publishable_test', secretKey: 'sb_secret_test' };
  const server = await startRealtimeServer({
    ...{ adminUrl, ...keys },
    limits: { ...machineLimits, ...limits },
  });
  const http = createServer((request, response) => {
    if (!server.handleRequest(request, response)) response.writeHead(404).end();
  });
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  // A crowd comes back at once.
  const place = { port: options.port, host: '127.0.0.1', backlog: 4096 };
  await new Promise<void>((resolve) => http.listen(place, resolve));
  return { port: (http.address() as AddressInfo).port };
}
