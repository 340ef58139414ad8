/** One figure beside the one that it is compared with, from the same run. */
export type Row = {
  name: string;
  value: number;
  unit: string;
  /** What the value is compared with, in the same unit. */
  baseline: number;
  /** value / baseline. */
  ratio: number;
  /** What the design asks of the ratio; empty where it asks nothing. */
  goal: string;
  /** Whether the ratio reaches the goal; true where there is none. */
  ok: boolean;
};

/** What the design asks of a ratio. */
export type Goal = { atMost: number } | { atLeast: number } | null;

/** Makes a row; rounds to what can be meant. */
export function row(
  name: string,
  unit: string,
  { value, baseline }: { value: number; baseline: number },
  goal: Goal,
): Row {
  const ratio = value / baseline;
  return {
    name,
    value: rounded(value),
    unit,
    baseline: rounded(baseline),
    ratio: rounded(ratio),
    goal: goalText(goal),
    ok: goal === null || ('atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast),
  };
}

function goalText(goal: Goal): string {
  if (goal === null) return '';
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

/** Three digits that count. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** The rows for people. */
export function asTable(rows: readonly Row[]): string {
  const cells = rows.map((one) => [
    one.goal === '' ? ' ' : one.ok ? '✓' : '✗',
    one.name,
    `${one.value.toLocaleString('en')} ${one.unit}`,
    one.baseline.toLocaleString('en'),
    `${one.ratio}x`,
    one.goal,
  ]);
  const table = [['', 'what', 'ours', 'baseline', 'ratio', 'goal'], ...cells];
  const widths = (table[0] ?? []).map((_, at) =>
    Math.max(...table.map((line) => (line[at] ?? '').length)),
  );
  return table
    .map((line) =>
      line
        .map((cell, at) => align(cell, widths[at] ?? 0, at >= 2))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function align(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
