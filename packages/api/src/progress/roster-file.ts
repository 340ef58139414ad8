import { csvOf, type CsvColumns } from '../server/csv.ts';
import type { RosterRow } from './contract.ts';

const COLUMNS: CsvColumns<RosterRow> = [
  ['Student', ({ name }) => name],
  ['Status', ({ status }) => status],
  ['Progress %', ({ progressPercent }) => progressPercent],
  ['Lessons done', ({ doneCount }) => doneCount],
  ['Lessons required', ({ requiredCount }) => requiredCount],
  ['Minutes spent', ({ timeSpentSeconds }) => Math.floor(timeSpentSeconds / 60)],
  ['Average score %', ({ averageScore }) => averageScore],
  ['Enrolled', ({ enrolledAt }) => enrolledAt],
  ['Last active', ({ lastActiveAt }) => lastActiveAt],
  ['Completed', ({ completedAt }) => completedAt],
];

/** The roster as a CSV file. */
export function rosterFile(rows: RosterRow[]): string {
  return csvOf(COLUMNS, rows);
}
