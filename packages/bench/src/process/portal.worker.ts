import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { offer } from './worker.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const servers: ReturnType<typeof createServer>[] = [];

/** Serves a build of adapter-node, the portal's or the bare page's, in a process of its own. */
const tasks = {
  async open({ folder, env }: { folder: string; env: Record<string, string> }): Promise<string> {
    // The handler reads its environment while it is loaded.
    Object.assign(process.env, env);
    const { handler } = (await import(pathToFileURL(`${folder}/handler.js`).href)) as {
      handler: Handler;
    };
    const server = createServer((request, response) => {
      handler(request, response, () => response.writeHead(404).end());
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
};

export type PortalTasks = typeof tasks;

offer(tasks, () => {
  for (const server of servers) server.closeAllConnections();
});
