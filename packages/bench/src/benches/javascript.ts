import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildPortals } from '@homeroom/cli/build';
import { build } from 'vite';
import { row, type Row } from '../measure/row.ts';

/** Of the design, section 10; gzip, bytes. */
const PAGE_GOAL = 110_000;
const LIVE_DATA_GOAL = 30_000;

const repository = new URL('../../../../', import.meta.url);

/** What SvelteKit's server knows of its build: scripts are paths below the client's folder. */
type Manifest = {
  client: { imports: string[] };
  nodes: (() => Promise<{ imports?: string[] }>)[];
  routes: { id: string; page: { layouts: (number | undefined)[]; leaf: number } | null }[];
};

/** JavaScript that a browser loads: of each portal's heaviest first page, and of live data alone. */
export async function javascript(): Promise<Row[]> {
  await buildPortals();
  const pages = await Promise.all(['student', 'instructor'].map(heaviestPage));
  const liveData = await liveDataBytes();
  return [
    ...pages.map(({ portal, id, bytes }) =>
      row(
        `JavaScript of the heaviest first page, ${portal}s: ${id}`,
        'kB',
        { value: bytes / 1000, baseline: PAGE_GOAL / 1000 },
        { atMost: 1 },
      ),
    ),
    row(
      'JavaScript of data and Realtime together',
      'kB',
      { value: liveData / 1000, baseline: LIVE_DATA_GOAL / 1000 },
      { atMost: 1 },
    ),
  ];
}

async function heaviestPage(portal: string) {
  const output = new URL(`apps/${portal}/.svelte-kit/output/`, repository);
  const { manifest } = (await import(new URL('server/manifest-full.js', output).href)) as {
    manifest: Manifest;
  };
  const sizes = new Map<string, Promise<number>>();
  const sizeOf = (script: string) => {
    const known = sizes.get(script);
    if (known) return known;
    const size = readFile(new URL(`client/${script}`, output)).then(
      (bytes) => gzipSync(bytes).length,
    );
    sizes.set(script, size);
    return size;
  };
  const pages = await Promise.all(
    manifest.routes.map(async ({ id, page }) => {
      if (!page) return { portal, id, bytes: 0 };
      const nodes = manifest.nodes.filter((_, at) => at === page.leaf || page.layouts.includes(at));
      const parts = await Promise.all(nodes.map((load) => load()));
      const scripts = new Set([
        ...manifest.client.imports,
        ...parts.flatMap(({ imports = [] }) => imports),
      ]);
      const bytes = await Promise.all(
        [...scripts].filter((name) => name.endsWith('.js')).map(sizeOf),
      );
      return { portal, id, bytes: bytes.reduce((sum, size) => sum + size, 0) };
    }),
  );
  return pages.reduce((heaviest, page) => (page.bytes > heaviest.bytes ? page : heaviest));
}

/** A tab that has nothing but the typed client, a connection and one live store. */
async function liveDataBytes(): Promise<number> {
  const result = await build({
    root: fileURLToPath(new URL('packages/bench/', repository)),
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      rolldownOptions: {
        input: fileURLToPath(new URL('packages/bench/src/process/live-data.ts', repository)),
      },
    },
  });
  if (!('output' in result)) throw new Error('One build has one output');
  return result.output
    .filter((part) => part.type === 'chunk')
    .reduce((sum, { code }) => sum + gzipSync(code).length, 0);
}
