/** For tests of what happens between processes: `node stack-process.ts <dataDir>` runs a stack until SIGTERM. */
import { once } from 'node:events';
import { startStack } from '../stack.ts';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('Which data folder?');
const stack = await startStack({ dataDir, apiPort: 0, dbPort: 0 });
console.log('started');
await once(process, 'SIGTERM');
await stack.stop();
