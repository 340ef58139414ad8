import * as z from 'zod';
import { parseInput, type Envelope } from './envelopes.ts';
import { wholeNumber } from './query-string.ts';
import type { RestCall, RestRoute } from './rest.ts';

const leadersQuery = z.object({ limit: wholeNumber(1, 100, 20) });

/** The guide's route: the rows of its view, in the shape that its component reads. */
async function leaders({ caller, url }: RestCall): Promise<Envelope> {
  const query = parseInput(leadersQuery, Object.fromEntries(url.searchParams));
  return { bare: await caller.leaderboard.leaders(query) };
}

/** The guide's leaderboard route. */
export const leaderboardRoutes: RestRoute[] = [
  { path: '/api/leaderboard', methods: { GET: leaders } },
];
