import { parseArgs } from 'node:util';
import { benches, isBench, type BenchOptions } from './benches/benches.ts';
import { openLab } from './lab/lab.ts';
import { asTable, type Row } from './measure/row.ts';

const HELP = `pnpm bench [--only ${Object.keys(benches).join('|')}] [--json] [--full]

  --only   one of the benchmarks (may be given more than once)
  --json   a list of { name, value, unit, baseline, ratio, goal, ok }, and nothing else
  --strict exits with 1 when a goal is missed
  --full   ten million notifications instead of one (10 GB), 10,000 connections (minutes more)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = values.only?.filter((name) => !isBench(name)) ?? [];
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) console.error(`There is no benchmark "${unknown.join('", "')}".\n`);
    console.error(HELP);
    return values.help ? 0 : 2;
  }
  const rows = await run(values.only?.filter(isBench) ?? [], values);
  console.log(values.json ? JSON.stringify(rows, null, 2) : `\n${asTable(rows)}`);
  return values.strict && rows.some(({ ok }) => !ok) ? 1 : 0;
}

async function run(only: (keyof typeof benches)[], options: BenchOptions): Promise<Row[]> {
  console.error('A throw-away Postgres starts…');
  await using lab = await openLab();
  const rows: Row[] = [];
  for (const name of only.length > 0 ? only : Object.keys(benches).filter(isBench)) {
    console.error(`${name}…`);
    rows.push(...(await benches[name](lab, options)));
  }
  return rows;
}

process.exitCode = await main();
