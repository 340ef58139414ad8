import { fullJitterMs, type Backoff } from '../connection/backoff.ts';
import type { TopicStatus } from './machine.ts';

/** Without a channel, the first question after this, ms: most losses are over sooner. */
const POLL_AFTER_MS = 3_000;
/** With nothing to show yet, the first question sooner, ms: a join takes a tenth of that. */
const FIRST_LOAD_AFTER_MS = 1_000;
/** Then one each time, ms, give or take half: a class of 200 makes 40 requests a second. */
const POLL_EVERY_MS = 5_000;
/**
 * With a channel, a question now and then, ms, give or take a quarter. A broadcast is a hint that
 * may be lost; a lost one shows as a gap when the next comes, and without a next one, here.
 */
const AUDIT_EVERY_MS = 120_000;
/** After failed questions. */
const AFTER_FAILURE: Backoff = { firstMs: 4_000, capMs: 30_000 };
/** The least between two failing questions, ms. */
const AFTER_FAILURE_AT_LEAST_MS = 500;

/** What the next question depends on. */
export type CheckFacts = {
  status: TopicStatus;
  /** Someone may be looking at the page. */
  visible: boolean;
  /** A follower has nothing to show yet. */
  empty: boolean;
  /** No question was asked since the channel was lost (or wanted). */
  first: boolean;
  /** Questions that failed in a row. */
  failures: number;
};

/** When to ask the API next for what a topic may have missed, in ms; `null` is never. */
export function nextCheckDelayMs(facts: CheckFacts, random: number): number | null {
  const { status, visible, empty, first, failures } = facts;
  if (!visible || status === 'idle' || status === 'refused') return null;
  if (failures > 0) {
    return AFTER_FAILURE_AT_LEAST_MS + fullJitterMs(AFTER_FAILURE, failures, random);
  }
  if (status === 'joined' || status === 'moving') return AUDIT_EVERY_MS * (0.75 + random / 2);
  if (first) return empty ? FIRST_LOAD_AFTER_MS : POLL_AFTER_MS;
  return POLL_EVERY_MS * (0.5 + random);
}
