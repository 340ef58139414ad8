import type { Lab } from '../lab/lab.ts';
import type { Row } from '../measure/row.ts';
import { announcement } from './announcement.ts';
import { api } from './api.ts';
import { changes } from './changes.ts';
import { connections } from './connections.ts';
import { coursePage } from './course-page.ts';
import { dashboard } from './dashboard.ts';
import { enrollment } from './enrollment.ts';
import { fanOut } from './fan-out.ts';
import { completion } from './completion.ts';
import { javascript } from './javascript.ts';
import { latency } from './latency.ts';
import { leaderboard } from './leaderboard.ts';
import { monitoring } from './monitoring.ts';
import { notifications } from './notifications.ts';
import { signIns } from './sign-ins.ts';
import { together } from './together.ts';

/** What a benchmark may be told. */
export type BenchOptions = { full: boolean };

/** A benchmark: measures on databases of its own, gives a row per number of the design. */
export type Bench = (lab: Lab, options: BenchOptions) => Promise<Row[]>;

/** The benchmarks by the names that `--only` knows. */
export const benches = {
  latency,
  'fan-out': fanOut,
  changes,
  connections,
  'sign-ins': signIns,
  enrollment,
  api,
  notifications,
  completion,
  leaderboard,
  javascript,
  'course-page': coursePage,
  monitoring,
  together,
  announcement,
  dashboard,
} satisfies Record<string, Bench>;

/** Whether there is a benchmark of that name. */
export function isBench(name: string): name is keyof typeof benches {
  return Object.hasOwn(benches, name);
}
