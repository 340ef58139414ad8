import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { claimPort } from './ports.ts';

it('names the variable that moves a taken port', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  await expect(claimPort(address.port, 'STUDENT_PORT', '127.0.0.1')).rejects.toThrow(
    `Port ${address.port} is taken by another program. Stop that, or choose another port with STUDENT_PORT=<port>.`,
  );
  other.close();
});

it('finds a free port when asked for any', async () => {
  expect(await claimPort(0, 'STUDENT_PORT', '127.0.0.1')).toBeGreaterThan(0);
});
