/** A hand-written SQL file; `path` is relative to `src`. It can be run again without harm. */
export type CodeFile = { path: string; sql: string };

const BREAKPOINT = '--> statement-breakpoint';

/** The line before and after each hand-written file in a migration. */
const opening = (path: string) => `-- >>> ${path}`;
const closing = (path: string) => `-- <<< ${path}`;

/** The files whose newest copy in the migrations (oldest first) isn't what they are now. */
export function changedCode(files: CodeFile[], migrations: string[]): CodeFile[] {
  const all = migrations.join('\n');
  return files.filter(({ path, sql }) => {
    const start = all.lastIndexOf(`${opening(path)}\n`);
    if (start === -1) return true;
    const end = all.indexOf(`${closing(path)}\n`, start);
    return all.slice(start + opening(path).length + 1, end) !== sql;
  });
}

/**
 * One migration: drizzle-kit's tables and indexes, then the functions that need the tables, then
 * the policies that need the functions.
 */
export function composeMigration(structure: string, code: CodeFile[]): string {
  const statements = structure
    .split(BREAKPOINT)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  const isPolicy = (statement: string) => /^(create|alter|drop) policy/i.test(statement);
  const parts = [
    // Functions may call others that come later in this migration.
    'set check_function_bodies = off;',
    ...statements.filter((statement) => !isPolicy(statement)),
    ...code.map(({ path, sql }) => `${opening(path)}\n${sql}${closing(path)}`),
    ...statements.filter(isPolicy),
  ];
  return `${parts.join('\n\n')}\n`;
}
