import type { RosterRow } from './contract.ts';

const COLUMNS: [name: string, of: (row: RosterRow) => string | number | null][] = [
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

/**
 * A cell as RFC 4180 wants it. What a spreadsheet would take for a formula gets an apostrophe before
 * it: a student chooses their own name.
 */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The roster as a CSV file. */
export function rosterFile(rows: RosterRow[]): string {
  const lines = [
    COLUMNS.map(([name]) => cell(name)),
    ...rows.map((row) => COLUMNS.map(([, of]) => cell(of(row)))),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}
