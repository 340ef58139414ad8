import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that something else listens on already. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';

  constructor(port: number, variable: string) {
    super(
      `Port ${port} is taken by another program. Stop that, or choose another port with ${variable}=<port>.`,
    );
  }
}

/**
 * Makes sure that a port can be listened on; with 0, finds a free one.
 * @returns the port to use.
 * @throws PortTakenError which names the variable that changes the port.
 */
export async function claimPort(port: number, variable: string, host: string): Promise<number> {
  const server = createServer();
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (isTaken(error)) throw new PortTakenError(port, variable);
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
