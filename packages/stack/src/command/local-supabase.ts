#!/usr/bin/env node
/** `npx @homeroom/stack`: a local Supabase in one command. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  print: (line) => console.log(line),
  complain: (line) => console.error(line),
  interrupted: new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  }),
});
