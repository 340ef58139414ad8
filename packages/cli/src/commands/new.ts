import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inRepository } from '../repository.ts';

const usage = 'pnpm new capability <name>   (lower case, words joined by -)';

/** Lays out the four rooms of a new capability, each file with what its reader expects first. */
export async function newCapability(args: string[]): Promise<number> {
  const [kind, name = ''] = args;
  if (kind !== 'capability' || !/^[a-z]+(-[a-z]+)*$/.test(name)) {
    console.error(usage);
    return 2;
  }
  for (const [path, content] of Object.entries(files(name))) {
    const absolute = inRepository(path);
    if (await exists(absolute)) {
      console.log(`· ${path} is there already`);
      continue;
    }
    await mkdir(dirname(absolute), { recursive: true });
    await writeFile(absolute, content);
    console.log(`+ ${path}`);
  }
  console.log(
    'Next: export the tables in packages/db/src/schema.ts, the contract in packages/api/src/contract.ts and the router in packages/api/src/router.ts; then: pnpm db generate --name create_' +
      name.replaceAll('-', '_'),
  );
  return 0;
}

/** What a capability begins with, by path; the name stands where the reader needs it. */
export function files(name: string): Record<string, string> {
  const camel = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return {
    [`packages/db/src/${name}/tables.ts`]: `/** Tables of ${name}: constraints, indexes, policies and grants stand beside each. */\nexport {};\n`,
    [`packages/db/src/${name}/functions.sql`]: `-- Functions and triggers of ${name}. Each says who may call it, what it guarantees, what it locks.\n`,
    [`packages/api/src/${name}/contract.ts`]: `import { z } from 'zod';\n\n/** What goes into and comes out of \`${camel}.list\`. */\nexport const ${camel}ListInput = z.object({});\n`,
    [`packages/api/src/${name}/router.ts`]: `import type { TRPCRouterRecord } from '@trpc/server';\n\n/** Procedures of ${name}. */\nexport const ${camel}Router = {} satisfies TRPCRouterRecord;\n`,
    [`packages/realtime/src/${name}/events.ts`]: `/** Payloads of the events of ${name}, by their name on the topic. */\nexport {};\n`,
    [`packages/realtime/src/${name}/apply.ts`]: `/** How an event of ${name} changes the state that a store shows. Pure. */\nexport {};\n`,
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
